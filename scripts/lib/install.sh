# shellcheck shell=bash
# Installs what a check needs and the machine lacks. Sourced by scripts/test.

# need COMMAND PACKAGE: the command, from Debian's package when it is missing.
need() {
    if command -v "$1" >/dev/null; then
        return
    fi
    echo "$1 is missing: installing Debian's package $2"
    local root=()
    if [[ $EUID -ne 0 ]]; then
        root=(sudo)
    fi
    "${root[@]}" apt-get update -qq
    # Debian asks this program whether a service of the package may start at once: it may not, the tests
    # start their own.
    local policy=/usr/sbin/policy-rc.d kept=yes status=0
    if [[ ! -e $policy ]]; then
        kept=no
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
        "${root[@]}" chmod 755 "$policy"
    fi
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" || status=$?
    if [[ $kept == no ]]; then
        "${root[@]}" rm "$policy"
    fi
    return "$status"
}

# need_nginx: for the tests with several replicas, which start their own. Debian keeps it off the usual path.
need_nginx() {
    PATH=$PATH:/usr/sbin need nginx nginx-light
}

# need_node: Node in a version that every tool of tests/tools runs on.
need_node() {
    need node nodejs
    if ! node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
                  process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'; then
        echo "Node 20.19 or newer is needed; this is $(node --version)" >&2
        return 1
    fi
}

# need_tools: the npm packages of tests/tools as its lock file names them. A copy of the lock file inside
# node_modules tells whether they are already there.
need_tools() {
    need_node
    need npm npm
    local installed=tests/tools/node_modules/.installed.json
    if ! cmp -s tests/tools/package-lock.json "$installed"; then
        npm ci --prefix tests/tools --no-audit --no-fund
        cp tests/tools/package-lock.json "$installed"
    fi
}
