# shellcheck shell=bash
# Sourced by mr. Installs the Debian packages of packages.debian that are missing.

# package_names GROUP...: the names in these groups.
package_names() {
  local group
  for group in "$@"; do
    sed -n "/^\[$group\]/,/^\[/ s/^\([a-z0-9][a-z0-9.+-]*\).*/\1/p" packages.debian
  done | sort -u
}

# packages_missing NAME...: those of the names that are not installed and configured. Node.js may have come another way.
packages_missing() {
  local installed
  # dpkg-query fails when it has never heard of one of them, as on a machine where nothing was installed yet.
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true)
  if command -v node >/dev/null && command -v npm >/dev/null; then installed+=$'\nnodejs\nnpm'; fi
  printf '%s\n' "$@" | grep -vxF -f <(printf '%s\n' "$installed") || true
}

# Root's own shell, or sudo's.
as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

# apt_install NAME...: without starting a service: a test machine needs the kamailio program, not a SIP server on its
# port 5060, and in a container starting one fails. policy-rc.d is Debian's door for that; one that exists already stays.
apt_install() {
  local guard=/usr/sbin/policy-rc.d guarded=0 status=0
  if [[ ! -e $guard ]]; then
    printf '#!/bin/sh\n# Placed by mr while it installs packages.\nexit 101\n' | as_root tee "$guard" >/dev/null
    as_root chmod 755 "$guard"
    guarded=1
    trap 'as_root rm -f /usr/sbin/policy-rc.d; exit 130' INT TERM
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o APT::Install-Recommends=false \
    -y -qq install "$@" >>build/log/packages.log 2>&1 || status=$?
  if [[ $guarded -eq 1 ]]; then
    as_root rm -f "$guard"
    trap - INT TERM
  fi
  return "$status"
}

# Debian enables a service that it installs; on a developer's own machine it must not come up at the next boot.
disable_services() {
  local package
  [[ -d /run/systemd/system ]] || return 0
  for package in "$@"; do
    case $package in
      kamailio) as_root systemctl disable --quiet kamailio.service || true ;;
      nginx) as_root systemctl disable --quiet nginx.service || true ;;
      rtpengine-daemon) as_root systemctl disable --quiet rtpengine-daemon.service || true ;;
    esac
  done
}

# need GROUP...: afterwards every package of these groups is there, or the command ends and says what is not.
need() {
  local -a names missing
  mapfile -t names < <(package_names "$@")
  if ! command -v dpkg-query >/dev/null; then
    echo "mr: not a Debian system; these packages, or their like, have to be there: ${names[*]}" >&2
    return 0
  fi
  mapfile -t missing < <(packages_missing "${names[@]}")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
    echo "mr: missing packages, and neither root nor sudo to install them: apt-get install ${missing[*]}" >&2
    exit 1
  fi

  echo "mr: installing ${#missing[@]} Debian packages: ${missing[*]}"
  mkdir -p build/log
  : >build/log/packages.log
  # The package lists of the machine are tried first; only when they are empty or stale they are fetched anew.
  if ! apt_install "${missing[@]}"; then
    as_root apt-get -o DPkg::Lock::Timeout=300 -qq update >>build/log/packages.log 2>&1 || true
    apt_install "${missing[@]}" || true
  fi
  disable_services "${missing[@]}"

  mapfile -t missing < <(packages_missing "${missing[@]}")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  report_broken "${missing[@]}"
}

# A package whose files are there but whose service could not be set up does for us; one that is absent does not.
report_broken() {
  local name absent=()
  for name in "$@"; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) in
      unpacked | half-configured | triggers-*) echo "mr: $name is unpacked but not configured; going on" >&2 ;;
      *) absent+=("$name") ;;
    esac
  done
  [[ ${#absent[@]} -gt 0 ]] || return 0
  tail -n 15 build/log/packages.log >&2
  echo "mr: could not install: ${absent[*]} (whole log: build/log/packages.log)" >&2
  exit 1
}
