#!/bin/sh
# Sees to the Debian packages given: installs the missing ones when root, otherwise prints the one line to type.
[ "$(uname)" = Linux ] || exit 0
if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "system libraries wanted (names as on Debian): $*"
  exit 0
fi
missing=""
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ]; then
  echo "installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get install -y -qq $missing || { apt-get update -qq && apt-get install -y -qq $missing; }; } >/dev/null
else
  echo "missing system libraries; type: sudo apt-get install -y$missing"
fi
