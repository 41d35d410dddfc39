"""Small installers like those of constructor: a shell header with an archive behind it, run with -b -p PREFIX."""

from __future__ import annotations

import hashlib
import io
import json
import pathlib
import tarfile

# As constructor's: refuses to be sourced and an existing prefix, writes the prefix into the files, makes envs last, and
# its conda records the base in the home directory.
HEADER = r"""#!/bin/sh
# NAME:  Tiny
set -eu
if ! echo "$0" | grep '\.sh$' > /dev/null; then
    echo 'Please run using "sh", but not "." or "source".' >&2
    exit 1
fi
[ -z "${CONDA_PREFIX-}${PYTHONPATH-}${CONDARC-}" ] || { echo "the caller's settings reach in here" >&2; exit 1; }
PREFIX=/root/tiny
BATCH=0
while getopts bp: option; do
    case $option in
    b) BATCH=1 ;;
    p) PREFIX=$OPTARG ;;
    *) exit 2 ;;
    esac
done
[ "$BATCH" = 1 ] || { echo "Please, press ENTER to continue"; read -r answer; }
[ ! -e "$PREFIX" ] || { echo "ERROR: File or directory already exists: '$PREFIX'" >&2; exit 1; }
mkdir -p "$PREFIX"
echo "PREFIX=$PREFIX"
line=$(awk '/^@@END_HEADER@@$/ { print NR + 1; exit }' "$0")
echo "Unpacking payload ..."
@HOOK@
tail -n "+$line" "$0" | tar -xzf - -C "$PREFIX"
for file in bin/conda bin/activate; do
    [ ! -e "$PREFIX/$file" ] || sed -i "s|@PREFIX@|$PREFIX|g" "$PREFIX/$file"
done
mkdir -p "$HOME/.conda" "$PREFIX/pkgs" "$PREFIX/envs"
echo "$PREFIX" >> "$HOME/.conda/environments.txt"
echo "installation finished."
exit 0
@@END_HEADER@@
"""
CONDA = """#!/bin/sh
case ${1-} in
--version) echo "conda %s" ;;
info) echo "@PREFIX@" ;;
*) exit 2 ;;
esac
"""
# What conda's own does: knows its base, finds an env by name there or in the home directory, puts it on PATH.
ACTIVATE = """_name=${1:-base}
for _folder in "$HOME/.conda/envs" "@PREFIX@/envs"; do
    if [ -d "$_folder/$_name/conda-meta" ]; then
        export CONDA_PREFIX="$_folder/$_name" PATH="$_folder/$_name/bin:$PATH"
        return 0
    fi
done
[ "$_name" = base ] || { echo "EnvironmentNameNotFound: $_name" >&2; return 1; }
export CONDA_PREFIX="@PREFIX@" PATH="@PREFIX@/bin:$PATH"
"""


def make_installer(
    path: pathlib.Path,
    conda: str,
    python: str = "3.12.1",
    hook: str = ":",
    files: dict[str, str] | None = None,
    padding: int = 0,
    modes: dict[str, int] | None = None,
) -> str:
    """Write an installer to *path*, whatever it is called, and return its sha256.

    :arg hook: shell lines that run before it unpacks.
    :arg files: what the base holds besides, or instead; None as a value leaves a file out.
    :arg modes: modes of files other than the usual.
    :arg padding: further bytes, for a transfer that takes its time.
    """
    contents = {
        "bin/conda": CONDA % conda,
        "bin/activate": ACTIVATE,
        "bin/python": "#!/bin/sh\necho Python %s\n" % python,
        "conda-meta/history": "",
    }
    for name, version, listed in (("conda", conda, ["bin/conda", "bin/activate"]), ("python", python, ["bin/python"])):
        record = {"name": name, "version": version, "build": "h1_0", "files": listed + ["lib/%s/cached.pyc" % name]}
        contents["conda-meta/%s-%s-h1_0.json" % (name, version)] = json.dumps(record)
    contents.update(files or {})
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in contents.items():
            if text is None:
                continue
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            info.mode = (modes or {}).get(name, 0o755 if name.startswith("bin/") else 0o644)
            # The builder's uid; tar run by root keeps it.
            info.uid = info.gid = 1000
            info.mtime = 1700000000
            tar.addfile(info, io.BytesIO(text.encode()))
    # gzip writes the time into the archive; it ignores what follows the archive's end.
    content = HEADER.replace("@HOOK@", hook).encode() + archive.getvalue() + b"\0" * padding
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
