#!/bin/sh
# Takes back what install.sh did.
#
#     sudo deploy/uninstall.sh [--plan] [--yes] [--purge]
#
# The configuration and the state (alerts not delivered yet, evidence, models) stay, unless --purge is given.
# System packages stay in any case: others may use them.
set -eu

plan_only=no sure=no purge=no
fail() { printf 'uninstall.sh: %s\n' "$*" >&2; exit 1; }
for option in "$@"; do
    case $option in
        --plan) plan_only=yes ;;
        --yes) sure=yes ;;
        --purge) purge=yes ;;
        -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) fail "unknown option $option; see --help" ;;
    esac
done

echo "This will stop and disable edgeguard, and remove its units and /opt/edgeguard."
if [ $purge = yes ]; then
    echo "It will also remove /etc/edgeguard, /var/lib/edgeguard with alerts that were not delivered and all"
    echo "evidence, /var/cache/edgeguard and the user edgeguard. That cannot be undone."
else
    echo "/etc/edgeguard, /var/lib/edgeguard and the user edgeguard stay (--purge removes them)."
fi
[ $plan_only = no ] || exit 0
[ "$(id -u)" -eq 0 ] || fail "run it as root (sudo)"
if [ $sure = no ]; then
    [ -t 0 ] || fail "nobody can answer here; add --yes"
    printf 'Go ahead? [y/N] '
    read -r answer
    [ "$answer" = y ] || [ "$answer" = Y ] || exit 1
fi

if [ -d /run/systemd/system ]; then
    systemctl stop edgeguard-retention.timer edgeguard-retention.service 2>/dev/null || true
    systemctl stop edgeguard-drill.timer edgeguard-drill.service 2>/dev/null || true
    systemctl stop edgeguard.service edgeguard-engines.service 2>/dev/null || true
fi
systemctl disable --quiet edgeguard.service edgeguard-engines.service 2>/dev/null || true
systemctl disable --quiet edgeguard-retention.timer edgeguard-drill.timer 2>/dev/null || true
for unit in edgeguard.service edgeguard-drill.service; do
    rm -f /etc/systemd/system/$unit.d/credentials.conf
    rmdir /etc/systemd/system/$unit.d 2>/dev/null || true
done
rm -f /etc/systemd/system/edgeguard.service /etc/systemd/system/edgeguard-engines.service
rm -f /etc/systemd/system/edgeguard-retention.service /etc/systemd/system/edgeguard-retention.timer
rm -f /etc/systemd/system/edgeguard-drill.service /etc/systemd/system/edgeguard-drill.timer
rm -f /etc/tmpfiles.d/edgeguard.conf /etc/udev/rules.d/60-edgeguard.rules /usr/local/bin/edgeguard
[ ! -d /run/systemd/system ] || systemctl daemon-reload
rm -rf /opt/edgeguard

if [ $purge = yes ]; then
    rm -rf /etc/edgeguard /var/lib/edgeguard /var/cache/edgeguard
    ! getent passwd edgeguard >/dev/null || userdel edgeguard
    ! getent group edgeguard >/dev/null || groupdel edgeguard
fi
echo "Removed."
