#!/usr/bin/env bash
# What pip cannot install. The Makefile calls this file:
#   setup.sh python              print the Python to build .venv with (3.11 or newer)
#   setup.sh venv PYTHON         make .venv and install requirements.txt and the package into it (with CI=true, by hash)
#   setup.sh apt book|test|corpus    see to the system's packages that this target needs
#   setup.sh browser             see to a Chromium for the browser tests
#   setup.sh firefox             a second browser and a sound card that plays into nothing, for tests that else skip
#   setup.sh nbgrader            an environment in _build with nbgrader, for the test that lets it grade labs
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    local candidate
    for candidate in python3 python python3.14 python3.13 python3.12 python3.11; do
        if is_new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    say "sepbook needs Python 3.11 or newer, and finds none. Install one, or name it: make PYTHON=/path/to/python3 book"
    return 1
}

is_ubuntu() { grep -qsi '^ID=ubuntu' /etc/os-release; }

have_browser() {
    local name
    [ -n "${SEPBOOK_CHROMIUM:-}" ] && return
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        command -v "$name" >/dev/null && return
    done
    compgen -G "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}/chromium*" >/dev/null ||
        compgen -G "$HOME/Library/Caches/ms-playwright/chromium*" >/dev/null
}

have_header() {
    [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ] || [ -e "/opt/homebrew/include/$1" ]
}

can_compile() {
    command -v c++ >/dev/null && "$1" - <<'END'
import pathlib, sys, sysconfig
sys.exit(not pathlib.Path(sysconfig.get_paths()["include"], "Python.h").exists())
END
}

# The Debian packages that TARGET needs and this machine lacks, one per line.
missing_packages() {
    local python name
    case "$1" in
    book | test)
        python=$(find_python)
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
        can_compile "$python" || printf '%s\n' build-essential python3-dev
        have_header sox.h || echo libsox-dev
        command -v ffmpeg >/dev/null || echo ffmpeg
        # Ubuntu's chromium is a snap, which does not run everywhere: there, playwright brings its own.
        [ "$1" = book ] || is_ubuntu || have_browser || echo chromium
        ;;
    corpus)
        command -v fluidsynth >/dev/null || echo fluidsynth
        [ -e /usr/share/sounds/sf2/FluidR3_GM.sf2 ] || echo fluid-soundfont-gm
        for name in flite festival espeak-ng ffmpeg; do
            command -v "$name" >/dev/null || echo "$name"
        done
        [ -e /usr/share/festival/voices/english/ked_diphone ] || printf '%s\n' festvox-kdlpc16k festlex-cmu festlex-poslex
        [ -e /usr/share/asterisk/sounds/it_IT_m_Carlo/tt-weasels.g722 ] || echo asterisk-core-sounds-it-g722
        [ -e /usr/share/asterisk/sounds/ru_RU_f_IvrvoiceRU/tt-weasels.g722 ] || echo asterisk-core-sounds-ru-g722
        [ -e /usr/share/sonic-pi/samples ] || echo sonic-pi-samples
        ;;
    *)
        say "setup.sh knows the packages of book, test and corpus, not of '$1'."
        return 2
        ;;
    esac
}

# Prints how to become root without being asked for a password; fails where there is no way.
root() {
    if [ "$(id -u)" = 0 ]; then
        echo "env"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        echo "sudo"
    else
        return 1
    fi
}

# Everything but the browser tests runs without chromium, so lacking that alone is no failure.
refuse() {
    local missing=$1
    shift
    printf '%s\n' "$@" >&2
    [ "$missing" = chromium ]
}

install_packages() {
    local missing as_root
    missing=$(missing_packages "$1") || return
    missing=${missing//$'\n'/ }
    if [ -z "$missing" ]; then
        return
    elif [ "$(uname)" = Darwin ]; then
        refuse "$missing" "Some tools are missing. Please run this, then try again:" "    $(brew_line "$1")"
    elif ! command -v apt-get >/dev/null; then
        refuse "$missing" "Some system packages are missing. Please install what Debian calls: $missing"
    elif ! as_root=$(root); then
        refuse "$missing" "Some system packages are missing, and installing them takes root. Please run this, then try again:" \
            "    sudo apt-get update && sudo apt-get install -y $missing"
    else
        say "Installing from apt: $missing"
        apt_install "$as_root" "$missing" ||
            refuse "$missing" "apt-get could not install: $missing. Its own message is above."
    fi
}

# shellcheck disable=SC2086  # both are lists of words
apt_install() {
    {
        $1 apt-get update -qq &&
            $1 env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $2
    } >&2 </dev/null
}

brew_line() {
    case "$1" in
    corpus) echo "brew install fluid-synth flite" ;;
    *) echo "brew install sox ffmpeg" ;;
    esac
}

# Debian has a chromium package; elsewhere playwright brings its own.
install_browser() {
    local with_deps=""
    have_browser && return
    if [ "$(uname)" = Linux ] && ! is_ubuntu && command -v apt-get >/dev/null && root >/dev/null; then
        apt_install "$(root)" chromium && return
    elif [ "$(uname)" = Linux ] && root >/dev/null; then
        with_deps="--with-deps"
    fi
    # shellcheck disable=SC2086  # nothing, or one word
    .venv/bin/playwright install $with_deps chromium
}

# A second browser, and a sound card that plays into nothing: a few tests need them, and are skipped without.
install_firefox() {
    local name missing=""
    for name in firefox-esr pulseaudio; do
        command -v "$name" >/dev/null || missing+=" $name"
    done
    [ -n "$missing" ] || return 0
    [ "$(uname)" = Linux ] && ! is_ubuntu && command -v apt-get >/dev/null && root >/dev/null || return
    say "Installing from apt:$missing"
    apt_install "$(root)" "$missing"
}

# In continuous integration, only files whose hashes are known. torch comes last, by its version: from place to place its
# files differ (tools/hashes.py), and a CUDA build brings libraries along.
install_pins() {
    if [ "${CI:-}" = true ]; then
        say "Installing requirements-ci.txt into .venv, by hash."
        .venv/bin/python -m pip install "$@" --no-deps --require-hashes -r requirements-ci.txt
        .venv/bin/python -m pip install "$@" -c requirements.txt "$(grep '^torch==' requirements.txt)"
    else
        say "Installing requirements.txt into .venv (the first time takes some minutes)."
        .venv/bin/python -m pip install "$@" -r requirements.txt
    fi
}

# Python's pip finds sox's header and library by itself, save where Homebrew keeps them.
make_venv() {
    local quiet=""
    if [ "$(uname)" = Darwin ] && command -v brew >/dev/null; then
        export CPPFLAGS="-I$(brew --prefix)/include" LDFLAGS="-L$(brew --prefix)/lib"
    fi
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    [ -x .venv/bin/pip ] || "$1" -m venv .venv
    [ -t 1 ] || quiet=--quiet # to a person, pip shows what it is loading and how much is left
    # shellcheck disable=SC2086  # nothing, or one word
    install_pins $quiet --no-compile
    # pip compiles one file after the other; this uses all cores. Some packages hold files that are no valid Python.
    .venv/bin/python -m compileall -qq -j 0 .venv/lib || true
    .venv/bin/python -m pip install -qq --no-deps --no-build-isolation -e .
}

# Apart from .venv: it brings a notebook server of its own, and nothing of the book needs it.
install_nbgrader() {
    local env=_build/nbgrader
    [ -x $env/bin/nbgrader ] && return
    say "Installing nbgrader into $env."
    .venv/bin/python -m venv $env
    $env/bin/python -m pip install --quiet --disable-pip-version-check "nbgrader==0.9.6"
}

case "${1:-}" in
python) find_python ;;
venv) make_venv "${2:-$(find_python)}" ;;
apt) install_packages "${2:-}" ;;
browser) install_browser ;;
firefox) install_firefox ;;
nbgrader) install_nbgrader ;;
*)
    say "usage: bash tools/setup.sh python | venv PYTHON | apt book|test|corpus | browser | firefox | nbgrader"
    exit 2
    ;;
esac
