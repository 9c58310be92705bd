//! What every engine must do alike.

use std::time::Duration;

use super::bench::{Bench, Engine};
use crate::support::block_on;

/// Long enough that nothing expires in a test.
const LONG: Duration = Duration::from_mins(1);
/// Short enough to wait for it.
const SHORT: Duration = Duration::from_millis(150);

/// Waits until what lasts [`SHORT`] is surely over.
async fn short_is_over() {
    tokio::time::sleep(SHORT + Duration::from_millis(50)).await;
}

fn on(engine: Engine, test: impl AsyncFnOnce(Bench)) {
    block_on(async {
        if let Some(bench) = Bench::new(engine).await {
            test(bench).await;
        }
    });
}

/// Makes a test of each function for each engine.
macro_rules! on_every_engine {
    ($($test:ident,)+) => {
        on_every_engine!(@ memory Memory $($test)+);
        on_every_engine!(@ file File $($test)+);
        on_every_engine!(@ redis Redis $($test)+);
    };
    (@ $module:ident $engine:ident $($test:ident)+) => {
        mod $module {
            $(#[test]
            fn $test() {
                super::super::on(crate::store::bench::Engine::$engine, super::$test);
            })+
        }
    };
}

mod bounds;
mod leases;
mod records;
