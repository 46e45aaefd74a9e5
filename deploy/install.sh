#!/bin/sh
# Installs EdgeGuard as a service, or brings an installation up to date. Safe to run again.
#
#     sudo deploy/install.sh [--plan] [--yes] [--python PROGRAM] [--config FILE] [--no-start]
#
# Run from a checkout it builds the package; run from an offline bundle (deploy/bundle) it asks no network.
# --plan says what would be done and stops. Without --yes it asks once before it does it.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)

prefix=/opt/edgeguard
config_dir=/etc/edgeguard
state_dir=/var/lib/edgeguard
units=/etc/systemd/system
python=/usr/bin/python3
plan_only=no sure=no start=yes config=""

packages="
python3-venv python3-gi python3-gst-1.0 gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0
gstreamer1.0-tools gstreamer1.0-alsa gstreamer1.0-libav
gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
ca-certificates
"

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --plan) plan_only=yes ;;
        --yes) sure=yes ;;
        --no-start) start=no ;;
        --python) python=${2:?--python needs a program}; shift ;;
        --config) config=${2:?--config needs a file}; shift ;;
        -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) fail "unknown option $1; see --help" ;;
    esac
    shift
done

offline=no
[ -d "$here/wheels" ] && offline=yes
systemd=no
[ -d /run/systemd/system ] && systemd=yes

check_box() {
    [ -r /etc/os-release ] || fail "this is no Debian or Ubuntu: /etc/os-release is missing"
    . /etc/os-release
    case "$ID ${VERSION_ID:-}" in
        "debian 12" | "debian 13" | "ubuntu 22.04" | "ubuntu 24.04") ;;
        "ubuntu 20.04" | "ubuntu 18.04")
            fail "$PRETTY_NAME (JetPack 5 or older) is not supported: flash JetPack 6.2 or 7.2" ;;
        *) fail "$PRETTY_NAME is not supported; known are Debian 12 and 13, Ubuntu 22.04 (JetPack 6) and 24.04 (JetPack 7)" ;;
    esac
    case $(uname -m) in
        aarch64 | x86_64) ;;
        *) fail "$(uname -m) is not supported; expected aarch64 or x86_64" ;;
    esac
    if [ $offline = yes ]; then
        made_for="$(sed -n 's/^arch: //p' "$here/BUNDLE") $(sed -n 's/^python: //p' "$here/BUNDLE")"
        box="$(uname -m) $("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
        [ "$made_for" = "$box" ] || fail "the bundle is for $made_for, this box is $box"
    fi
    [ -z "$config" ] || [ -r "$config" ] || fail "cannot read the configuration $config"
}

version() { sed -n 's/^__version__ = "\(.*\)"/\1/p' "$here/edgeguard/__init__.py" 2>/dev/null || true; }
if [ $offline = yes ]; then
    wanted=$(sed -n 's/^version: //p' "$here/BUNDLE")
else
    wanted=$(version)
fi
[ -n "$wanted" ] || fail "$here is neither a checkout nor a bundle of EdgeGuard"
# The files decide, not the number alone: a checkout changes without a new version.
if [ $offline = yes ]; then
    mark=$(sha256sum "$here/SHA256SUMS" | cut -c 1-8)
else
    mark=$(cd "$here" && find edgeguard pyproject.toml -type f ! -name '*.pyc' -print0 | sort -z |
        xargs -0 sha256sum | sha256sum | cut -c 1-8)
fi
release=$prefix/releases/$wanted-$mark

missing_packages() {
    for package in $packages; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf ' %s' "$package"
    done
}

secrets=""
[ -z "$config" ] || for secret in "$(dirname "$config")"/credentials/*; do
    [ ! -f "$secret" ] || case $secret in
        *[!A-Za-z0-9._/-]*) fail "$secret: such a name or folder is not supported; use letters, digits, . _ and -" ;;
        *.part) ;;
        *) secrets="$secrets $secret" ;;
    esac
done

check_box
missing=$(missing_packages)
if [ -n "$missing" ] && [ $offline = yes ] && ! ls "$here"/debs/*.deb >/dev/null 2>&1; then
    fail "these system packages are missing; install them, or put their .deb files into $here/debs:$missing"
fi
current=$(readlink "$prefix/current" 2>/dev/null || true)

plan() {
    say "EdgeGuard $wanted on $PRETTY_NAME, $(uname -m). This will:"
    [ -z "$missing" ] || say "  - install system packages:$missing"
    say "  - make the user edgeguard (groups video, render, audio) where it is missing"
    if [ "$current" = "$release" ]; then
        say "  - leave $release as it is: it is current"
    else
        say "  - install the program into $release, with its own Python environment"
        say "  - point $prefix/current at it${current:+ (it was ${current##*/}; that one stays for going back)}"
    fi
    say "  - put the units into $units and enable edgeguard, edgeguard-engines, and hourly edgeguard-retention and edgeguard-drill"
    [ -z "$config" ] || say "  - copy $config to $config_dir/edgeguard.yaml if it is right (what is there is kept beside it)"
    [ -z "$secrets" ] || say "  - copy the secrets beside it into $config_dir/credentials, for root and the service alone"
    ! ls "$here"/models/* >/dev/null 2>&1 || say "  - copy the bundle's models into $state_dir/models"
    [ $start = no ] || say "  - check the configuration and (re)start the service, if there is one"
    say "It changes nothing else. deploy/uninstall.sh takes it back."
}

plan
[ $plan_only = no ] || exit 0
[ "$(id -u)" -eq 0 ] || fail "run it as root (sudo)"
if [ $sure = no ]; then
    [ -t 0 ] || fail "nobody can answer here; add --yes"
    printf 'Go ahead? [y/N] '
    read -r answer
    [ "$answer" = y ] || [ "$answer" = Y ] || exit 1
fi

install_packages() {
    [ -n "$missing" ] || return 0
    export DEBIAN_FRONTEND=noninteractive
    if [ $offline = yes ]; then
        apt-get install -y -qq --no-install-recommends --no-download "$here"/debs/*.deb >/dev/null
    else
        apt-get update -qq
        # shellcheck disable=SC2086
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
    fi
}

make_user() {
    for group in video render audio; do
        getent group $group >/dev/null || groupadd --system $group
    done
    getent passwd edgeguard >/dev/null ||
        useradd --system --user-group --home-dir $state_dir --no-create-home --shell /usr/sbin/nologin edgeguard
    usermod -a -G video,render,audio edgeguard
    install -d -m 0750 -o root -g edgeguard $config_dir
    install -d -m 0700 -o root -g root $config_dir/credentials
    install -d -m 0750 -o edgeguard -g edgeguard $state_dir $state_dir/models
}

install_program() {
    # What no longer starts, as after an upgrade of the system's Python, is made anew.
    [ "$current" != "$release" ] || ! "$release/bin/edgeguard" version >/dev/null 2>&1 || return 0
    [ -x "$python" ] || fail "$python is missing"
    new=$release.new
    rm -rf "$new"
    mkdir -p "$prefix/releases"
    "$python" -m venv --system-site-packages "$new"
    if [ $offline = yes ]; then
        (cd "$here" && sha256sum --quiet --check SHA256SUMS) || fail "the bundle is damaged; copy it again"
        "$new/bin/python" -m pip install --quiet --disable-pip-version-check --no-index \
            --find-links "$here/wheels" edgeguard
    else
        build=$(mktemp -d)
        cp -R "$here/pyproject.toml" "$here/README.md" "$here/edgeguard" "$build"
        "$new/bin/python" -m pip install --quiet --disable-pip-version-check "$build"
        rm -rf "$build"
    fi
    # A venv knows its own path: scripts are written for where it will be. Its links to the system's Python stay
    # links, or updates of that would pass it by.
    for script in "$new"/bin/* "$new/pyvenv.cfg"; do
        [ -L "$script" ] || sed -i "s|$new|$release|g" "$script"
    done
    rm -rf "$release"
    mv "$new" "$release"
    "$release/bin/edgeguard" version >/dev/null || fail "the new program does not start; the old one stays"
    ln -sfn "$release" "$prefix/current.new"
    mv -T "$prefix/current.new" "$prefix/current"
    mkdir -p "$prefix/bin"
    ln -sfn ../current/bin/edgeguard "$prefix/bin/edgeguard"
    ln -sfn "$prefix/bin/edgeguard" /usr/local/bin/edgeguard
    forget_old_releases
}

forget_old_releases() {
    for folder in "$prefix"/releases/*; do
        [ "$folder" = "$release" ] || [ "$folder" = "$current" ] || rm -rf "$folder"
    done
}

install_units() {
    mkdir -p $units
    for unit in "$here"/systemd/*.service "$here"/systemd/*.timer; do
        install -m 0644 "$unit" $units/
    done
    install -D -m 0644 "$here/systemd/edgeguard.tmpfiles.conf" /etc/tmpfiles.d/edgeguard.conf
    install -D -m 0644 "$here/systemd/60-edgeguard.rules" /etc/udev/rules.d/60-edgeguard.rules
    # Enabled by hand where systemd does not run, as in an image that is being made.
    systemctl enable --quiet edgeguard.service edgeguard-engines.service
    systemctl enable --quiet edgeguard-retention.timer edgeguard-drill.timer
    [ $systemd = no ] || systemctl daemon-reload
    [ $systemd = no ] || systemctl start edgeguard-retention.timer edgeguard-drill.timer
}

install_models() {
    for model in "$here"/models/*; do
        [ -e "$model" ] || continue
        cp -R "$model" $state_dir/models/
    done
    chown -R edgeguard:edgeguard $state_dir/models
}

# The passwords that `edgeguard init` put beside the configuration: root keeps them, systemd hands them out.
install_secrets() {
    for secret in $secrets; do
        install -m 0600 -o root -g root "$secret" $config_dir/credentials/
    done
    # The drill listens at the broker for itself.
    for unit in edgeguard.service edgeguard-drill.service; do
        drop_in=$units/$unit.d/credentials.conf
        rm -f $drop_in
        for secret in $config_dir/credentials/*; do
            [ -f "$secret" ] || continue
            [ -e $drop_in ] || { mkdir -p "${drop_in%/*}" && echo "[Service]" >$drop_in; }
            echo "LoadCredential=${secret##*/}:$secret" >>$drop_in
        done
    done
    [ $systemd = no ] || systemctl daemon-reload
}

# As the service will see it: its user, its secrets, nobody's home.
check_config() {
    given=$(mktemp -d)
    cp -R $config_dir/credentials/. "$given"
    chmod 0600 "$given"/* 2>/dev/null || true
    chown -R edgeguard:edgeguard "$given"
    as_service="setpriv --reuid edgeguard --regid edgeguard --init-groups env HOME=$state_dir CREDENTIALS_DIRECTORY=$given"
    right=yes
    answer=$(cd / && $as_service "$prefix/bin/edgeguard" check "$1" 2>&1) || right=no
    say "$answer"
    case $answer in *": cannot use "*) right=no ;; esac
    rm -rf "$given"
    for place in $(sed -n 's/^ *[a-z_]*_file: *["'\'']\{0,1\}\(\/\(home\|root\|tmp\)\/[^"'\'' ]*\).*/\1/p' "$1"); do
        [ ! -f "$config_dir/credentials/${place##*/}" ] || continue
        say "$place: the service sees no files there; put it into $config_dir/credentials" >&2
        right=no
    done
    [ $right = yes ]
}

# What is wrong never takes the place of what works.
install_config() {
    target=$config_dir/edgeguard.yaml
    [ -n "$config" ] && ! cmp -s "$config" $target || return 0
    install -m 0640 -o root -g edgeguard "$config" $target.new
    if ! check_config $target.new; then
        rm -f $target.new
        fail "$config is wrong (above), so it is not installed; everything else is. Mend it and run this again"
    fi
    [ ! -e $target ] || cp -p $target $target.before
    mv $target.new $target
}

start_service() {
    [ $start = yes ] && [ -e $config_dir/edgeguard.yaml ] || return 0
    check_config $config_dir/edgeguard.yaml ||
        fail "the configuration is wrong (above); everything else is installed. Mend it and run this again"
    [ $systemd = no ] || systemctl restart edgeguard.service
}

install_packages
make_user
install_program
install_units
install_models
install_secrets
install_config
start_service

say
say "Installed: $("$prefix/bin/edgeguard" version) in $release"
if [ ! -e $config_dir/edgeguard.yaml ]; then
    say "Next: edgeguard init site.yaml, then run this again with --config site.yaml"
elif [ $systemd = yes ] && [ $start = yes ]; then
    say "The service runs: systemctl status edgeguard, journalctl -u edgeguard"
else
    say "The service starts with the next boot of this system."
fi
