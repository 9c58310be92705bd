# shellcheck shell=bash
# Starts a Redis server for the tests of the store. Sourced by scripts/test.

# need_redis: sets CONNECTOR_TEST_REDIS_URL to a server that keeps nothing, listens on this machine only
# and stops when the calling (sub)shell ends. A server that the variable already names is used as it is.
need_redis() {
    if [[ -n ${CONNECTOR_TEST_REDIS_URL:-} ]]; then
        return
    fi
    need redis-server redis-server
    redis_folder=$(mktemp -d)
    trap stop_redis EXIT
    local port
    # Somebody may have the port already, so several are tried.
    for _ in {1..10}; do
        port=$((RANDOM % 20000 + 20000))
        # Dumps are not compressed, so that a test can search them.
        redis-server --bind 127.0.0.1 --port "$port" --dir "$redis_folder" --save '' --appendonly no \
            --rdbcompression no >"$redis_folder/log" 2>&1 &
        redis_pid=$!
        if redis_answers "$port"; then
            export CONNECTOR_TEST_REDIS_URL=redis://127.0.0.1:$port
            return
        fi
        stop_redis_server
    done
    echo "no Redis server could be started:" >&2
    cat "$redis_folder/log" >&2
    return 1
}

# redis_answers PORT: whether the server started by need_redis answers there within 5 seconds.
redis_answers() {
    for _ in {1..50}; do
        if ! kill -0 "$redis_pid" 2>/dev/null; then
            return 1
        fi
        if [[ $(redis-cli -h 127.0.0.1 -p "$1" info server 2>/dev/null) == *"process_id:$redis_pid"* ]]; then
            return
        fi
        sleep 0.1
    done
    return 1
}

stop_redis_server() {
    kill "$redis_pid" 2>/dev/null || true
    wait "$redis_pid" 2>/dev/null || true
}

stop_redis() {
    stop_redis_server
    rm -rf "$redis_folder"
}
