#!/usr/bin/env bash
# The steps of the Containerfile, one by one, so that they run (and are tested) without a container too:
#     PREFIX=/opt/sepbook bash tools/classroom/container.sh system | packages | labs
#   system     what comes from Debian
#   packages   a virtual environment in PREFIX with sepbook, JupyterLab and JupyterHub's server for one user
#   labs       the labs without solutions in PREFIX/labs, and PREFIX/bin/labs, which starts them
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
prefix=${PREFIX:?say where, for example PREFIX=/opt/sepbook}

system() {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ffmpeg
    rm -rf /var/lib/apt/lists/*
}

packages() {
    "${PYTHON:-python3}" -m venv "$prefix"
    "$prefix/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check \
        "$here" "jupyterlab>=4,<5" "jupyterhub>=5,<6" "ipykernel>=6.17" "nbformat>=5.10" "PyYAML>=6"
}

labs() {
    (cd "$here" && "$prefix/bin/python" -m tools.classroom editions --outputs none --out "$prefix/made")
    rm -rf "$prefix/labs" && mv "$prefix/made/student" "$prefix/labs" && rm -rf "$prefix/made"
    cat >"$prefix/bin/labs" <<END
#!/usr/bin/env bash
# Give everybody their own copy of the labs, and start JupyterLab: as JupyterHub's server where it asks for one.
set -euo pipefail
[ -d "\$HOME/labs" ] || cp -r "$prefix/labs" "\$HOME/labs"
cd "\$HOME/labs"
export PATH="$prefix/bin:\$PATH"
if [ -n "\${JUPYTERHUB_API_TOKEN:-}" ]; then
    exec jupyterhub-singleuser "\$@"
fi
exec jupyter lab --ip=0.0.0.0 --no-browser "\$@"
END
    chmod 755 "$prefix/bin/labs"
}

case "${1:-}" in
system | packages | labs) "$1" ;;
*)
    echo "usage: PREFIX=FOLDER bash tools/classroom/container.sh system | packages | labs" >&2
    exit 2
    ;;
esac
