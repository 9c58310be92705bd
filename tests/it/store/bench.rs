//! Stores to test: a fresh, empty one for each test, and further openings of the same one.

use std::{
    io::{self, Write},
    iter,
    path::PathBuf,
    sync::{Arc, Once},
    time::Duration,
};

use openrouter_connector::{
    config,
    store::{Address, Capability, Kind, New, Part, Record, State, Store},
};
use redis::{AsyncConnectionConfig, aio::MultiplexedConnection};
use tempfile::TempDir;

/// The engines that the suite runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    Memory,
    File,
    Redis,
}

/// An empty store of one engine; what it holds is removed when this is dropped.
pub(crate) struct Bench {
    pub(super) settings: config::Store,
    pub(crate) store: Store,
    shareable: bool,
    folder: Option<TempDir>,
    database: Option<Database>,
}

impl Bench {
    /// `None` where the engine is not there: Redis without `CONNECTOR_TEST_REDIS_URL`.
    pub(crate) async fn new(engine: Engine) -> Option<Self> {
        Self::with(engine, |_| {}).await
    }

    /// The same with other settings.
    pub(super) async fn with(
        engine: Engine,
        change: impl FnOnce(&mut config::Store),
    ) -> Option<Self> {
        let (mut folder, mut database) = (None, None);
        let url = match engine {
            Engine::Memory => "sqlite::memory:".to_owned(),
            Engine::File => {
                let made = TempDir::new().unwrap();
                let url = format!("sqlite://{}/sub/store.db", made.path().display());
                folder = Some(made);
                url
            }
            Engine::Redis => {
                let locked = Database::lock().await?;
                let url = locked.url.clone();
                database = Some(locked);
                url
            }
        };
        let mut settings = settings(url);
        change(&mut settings);
        let store = Store::open(&settings).await.unwrap();
        Some(Self {
            settings,
            store,
            shareable: !matches!(engine, Engine::Memory),
            folder,
            database,
        })
    }

    /// The same store as another replica sees it: opened again, where the engine can be.
    pub(super) async fn replica(&self) -> Store {
        if self.shareable {
            Store::open(&self.settings).await.unwrap()
        } else {
            self.store.clone()
        }
    }

    /// The folder that the file is in.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("sub")
    }

    /// The address of the Redis database.
    pub(crate) fn database(&self) -> String {
        self.database.as_ref().unwrap().url.clone()
    }
}

/// The default settings with another address.
pub(crate) fn settings(url: String) -> config::Store {
    let defaults = config::load(None, iter::empty(), Vec::new()).unwrap();
    let mut settings = defaults.store;
    settings.url = url.try_into().unwrap();
    settings
}

/// One database of the server, which no other test uses at the same time, in this process or
/// another. Database 0 holds the locks.
struct Database {
    url: String,
    lock: String,
}

const LOCK: Duration = Duration::from_mins(1);

impl Database {
    /// Waits for a free database and empties it; `None` if there is no server for tests.
    async fn lock() -> Option<Self> {
        let server = server()?;
        let mut locks = connect(&server).await;
        for number in (1..16).cycle() {
            let lock = format!("connector-test:{number}");
            let locked: Option<String> = redis::cmd("SET")
                .arg(&lock)
                .arg("held")
                .arg("NX")
                .arg("PX")
                .arg(u64::try_from(LOCK.as_millis()).unwrap())
                .query_async(&mut locks)
                .await
                .unwrap();
            if locked.is_some() {
                let url = format!("{server}/{number}");
                let mut database = connect(&url).await;
                let () = redis::cmd("FLUSHDB")
                    .query_async(&mut database)
                    .await
                    .unwrap();
                return Some(Self { url, lock });
            }
            if number == 15 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        None
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test's runtime is still busy here, so this blocks; the answer comes within a moment.
        if let Some(server) = server() {
            let unlocked: redis::RedisResult<()> = redis::Client::open(server)
                .and_then(|client| client.get_connection())
                .and_then(|mut connection| {
                    redis::cmd("DEL").arg(&self.lock).query(&mut connection)
                });
            drop(unlocked);
        }
    }
}

/// The server's address without a database; `None`, and a line that says so, if there is none.
fn server() -> Option<String> {
    let variable = "CONNECTOR_TEST_REDIS_URL";
    let found = config::environment().find(|(name, _)| name == variable);
    if found.is_none() {
        static TOLD: Once = Once::new();
        TOLD.call_once(|| {
            // Past the harness, which keeps what a test that passes prints.
            let line = format!("The tests on Redis were skipped: {variable} names no server.\n");
            io::stderr().write_all(line.as_bytes()).unwrap();
        });
    }
    found.map(|(_, url)| url.trim_end_matches('/').to_owned())
}

pub(crate) async fn connect(url: &str) -> MultiplexedConnection {
    let patient = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(10)));
    redis::Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection_with_config(&patient)
        .await
        .unwrap()
}

/// A new running job that is kept for a minute.
pub(super) fn job(id: &Capability) -> New {
    let address = id.address(Kind::Job);
    New {
        address,
        group: None,
        state: State::Running,
        request: id.seal(&address, Part::Request, b"a request"),
        result: None,
        keep: Duration::from_mins(1),
        lease: None,
    }
}

/// Reads the record at `address` and deletes it, as whoever wants it for itself does; nothing if
/// there is none, or another was faster.
pub(crate) async fn take(store: &Store, address: &Address) -> Option<Record> {
    let record = store.get(address).await.unwrap()?;
    let mine = store.delete_if(address, &record.request).await.unwrap();
    mine.then_some(record)
}

/// Runs `work` 50 times at once on several openings of the store; what each one gave.
pub(crate) async fn at_once<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
    bench: &Bench,
    work: impl Fn(Store) -> W,
) -> Vec<T> {
    let mut replicas = Vec::new();
    for _ in 0..4 {
        replicas.push(bench.replica().await);
    }
    let start = Arc::new(tokio::sync::Barrier::new(50));
    let tasks: Vec<_> = iter::zip(0..50, replicas.iter().cycle())
        .map(|(_, store)| {
            let (work, start) = (work(store.clone()), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                work.await
            })
        })
        .collect();
    let mut given = Vec::new();
    for task in tasks {
        given.push(task.await.unwrap());
    }
    given
}
