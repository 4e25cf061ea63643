#!/usr/bin/env python3
"""Find or install libtorch 2.11.0 and print the folder that LIBTORCH must name.

    scripts/libtorch.py [KIND]     print the folder, after installing it if necessary
    scripts/libtorch.py --explain  also say on stderr where it came from

KIND, or $NAS_TUI_LIBTORCH_KIND: `cpu`, `cuda` (CUDA 13, or CUDA 12 if the driver is too old for that), `cuda12`, or `auto` (the
default): CUDA if this machine has an NVIDIA driver. Give it if the building machine is not the training machine.

Order: $LIBTORCH; a Python `torch` of that version and kind; the folder this script installed before
(${XDG_CACHE_HOME:-~/.cache}/nas-tui/libtorch-2.11.0-{cpu,cuda,cuda12}); a fresh install from wheels, of which only the headers and
libraries are unpacked. Wheels come from pip's index, those for CUDA 12 from the index given by $NAS_TUI_TORCH_INDEX.
The installed folder appears under its name only when it is complete (it is renamed into place).
"""
import argparse
import collections
import glob
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

VERSION = "2.11.0"
KINDS = ["auto", "cpu", "cuda", "cuda12"]
CPU_WHEELS = [f"torch=={VERSION}", "nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"]
CPU_LIBRARIES = ["libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13"]

DRIVER_FILE = "/proc/driver/nvidia/version"
# The oldest driver for each major version of CUDA (NVIDIA's release notes: minor versions are compatible among themselves).
DRIVER_FOR_CUDA_13 = 580
DRIVER_FOR_CUDA_12 = 525
# CUDA 13 has no code for GPUs older than this (Volta, Pascal, Maxwell); of the CUDA 12 builds only that for 12.6 has.
CAPABILITY_FOR_CUDA_13 = (7, 5)

GB = 10 ** 9
# While pip downloads and the wheels are unpacked; afterwards it is 0.5 and 3.9.
DISK = {"cpu": 2 * GB, "cuda": 8 * GB, "cuda12": 8 * GB}
DOWNLOAD = {"cpu": "550 MB", "cuda": "2.6 GB", "cuda12": "2.6 GB"}

OLDEST_PYTHON = (3, 7)
# The kind is not remembered between calls.
ON_THE_CPU = "train on the CPU: export NAS_TUI_LIBTORCH_KIND=cpu, or add KIND=cpu to every call of make (setup, build, run, test, install)"

# `version` is a tuple, or None if unknown; `capability` that of the oldest GPU, or None.
Driver = collections.namedtuple("Driver", ["version", "capability"])


def say(text):
    print(f"libtorch: {text}", file=sys.stderr, flush=True)


def fail(text):
    say(text)
    sys.exit(1)


# What is installed


def read(path):
    """Empty if there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def is_complete(folder):
    """Headers of the right version and the libraries that every build links."""
    header = os.path.join(folder, "include", "torch", "headeronly", "version.h")
    libraries = all(os.path.exists(os.path.join(folder, "lib", name)) for name in ("libtorch_cpu.so", "libc10.so", "libtorch.so"))
    return libraries and has_version(header)


def has_version(header):
    text = read(header)
    major, minor, patch = VERSION.split(".")
    wanted = [f"#define TORCH_VERSION_MAJOR {major}", f"#define TORCH_VERSION_MINOR {minor}", f"#define TORCH_VERSION_PATCH {patch}"]
    return all(line in text for line in wanted)


def has_cuda(folder):
    return os.path.exists(os.path.join(folder, "lib", "libtorch_cuda.so"))


def cuda_of(folder):
    """Major version of the CUDA that a libtorch was built for; None if unknown."""
    for name, pattern in (("build-version", r"\+cu(\d+)\d\b"), ("version.py", r"^cuda\b.*'(\d+)\.")):
        found = re.search(pattern, read(os.path.join(folder, name)), re.MULTILINE)
        if found:
            return int(found.group(1))
    return None


def find_driver():
    """The NVIDIA driver of this machine, or None."""
    if os.path.exists(DRIVER_FILE):
        version = version_in(read(DRIVER_FILE))
        return Driver(version or version_in(ask_nvidia_smi("driver_version")), oldest_capability())
    if shutil.which("nvidia-smi"):
        return Driver(version_in(ask_nvidia_smi("driver_version")), oldest_capability())
    return None


def version_in(text):
    """(535, 183, 1) of `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 ...` or of `535.183.01`."""
    found = re.search(r"(?:^|\s)(\d{3,})\.(\d+)(?:\.(\d+))?(?=\s|$)", text)
    return tuple(int(part) for part in found.groups() if part is not None) if found else None


def ask_nvidia_smi(field):
    """One line per GPU; empty if the driver does not respond."""
    command = ["nvidia-smi", f"--query-gpu={field}", "--format=csv,noheader"]
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.decode(errors="replace") if result.returncode == 0 else ""


def oldest_capability():
    found = re.findall(r"^(\d+)\.(\d+)$", ask_nvidia_smi("compute_cap"), re.MULTILINE)
    return min(((int(major), int(minor)) for major, minor in found), default=None)


def shown(version):
    return ".".join(str(part) for part in version[:2])


# What is needed


def choose(kind, driver):
    """`cpu`, `cuda` or `cuda12`, and why it is not the usual build; None and the reason if there is no build for this machine."""
    if kind in ("cpu", "cuda12") or (kind == "auto" and driver is None):
        return ("cpu" if kind == "auto" else kind), None
    if driver is None:
        return "cuda", None
    if driver.version is None:
        say("there is an NVIDIA driver, but neither it nor nvidia-smi tells its version; taking the build for CUDA 13")
    elif driver.version[0] < DRIVER_FOR_CUDA_12:
        return None, (f"driver {shown(driver.version)} is too old for every CUDA build of torch {VERSION}: install driver "
                      f"{DRIVER_FOR_CUDA_13} or newer ({DRIVER_FOR_CUDA_12} is enough for CUDA 12), or {ON_THE_CPU}")
    elif driver.version[0] < DRIVER_FOR_CUDA_13:
        return "cuda12", f"driver {shown(driver.version)} is too old for CUDA 13, which wants {DRIVER_FOR_CUDA_13} or newer"
    if driver.capability and driver.capability < CAPABILITY_FOR_CUDA_13:
        return "cuda12", f"a GPU of compute capability {shown(driver.capability)} is too old for CUDA 13, which wants 7.5 or newer"
    return "cuda", None


def unfit(folder, kind):
    """Why an installed libtorch is unsuitable for `kind`; None if it is suitable."""
    if kind == "cpu":
        return None  # A CUDA build computes on the CPU just as well.
    if not has_cuda(folder):
        return "it is built for the CPU only"
    if kind == "cuda12" and (cuda_of(folder) or 12) > 12:
        return f"it is built for CUDA {cuda_of(folder)}"
    return None


def from_environment(kind, is_named):
    folder = os.environ.get("LIBTORCH")
    if not folder:
        return None
    if not is_complete(folder):
        fail(f"LIBTORCH={folder} is not a libtorch {VERSION} (include/ and lib/libtorch.so); unset it or point it to one")
    reason = unfit(folder, kind)
    if reason and is_named:
        fail(f"a libtorch of kind {kind} is asked for, and LIBTORCH={folder} names another: {reason}; unset LIBTORCH, or do not name a kind")
    if reason:
        say(f"warning: LIBTORCH={folder} is used as you say, but {reason}, and the NVIDIA GPU of this machine will train nothing; "
            "unset LIBTORCH to have a libtorch installed that uses it")
    return folder


def from_python(kind):
    """The folder of an importable torch of the right version and kind, found without importing it."""
    spec = importlib.util.find_spec("torch")
    folder = os.path.dirname(spec.origin) if spec and spec.origin else None
    if not folder or not is_complete(folder):
        return None
    reason = unfit(folder, kind)
    if reason:
        say(f"Python's torch in {folder} is not used: {reason}, and {'CUDA' if kind == 'cuda' else 'CUDA 12'} is wanted here")
        return None
    return folder


# Installing it


def pip():
    """A pip command, after installing Debian's package if Python has no pip and we are allowed to."""
    for command in ([sys.executable, "-m", "pip"], ["pip3"]):
        if subprocess.run(command + ["--version"], capture_output=True).returncode == 0 if shutil.which(command[0]) else False:
            return command
    if shutil.which("apt-get") and os.geteuid() == 0:
        say("this Python has no pip: installing Debian's python3-pip")
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "update", "-qq"], env=environment, stdout=sys.stderr)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-pip"], env=environment, stdout=sys.stderr)
        for command in (["/usr/bin/python3", "-m", "pip"], [sys.executable, "-m", "pip"]):
            if subprocess.run(command + ["--version"], capture_output=True).returncode == 0:
                return command
    fail("Python has no pip; install it (Debian: sudo apt-get install python3-pip), or set LIBTORCH to a libtorch " + VERSION)


def try_pip(arguments, **variables):
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", **variables)
    return subprocess.run(pip() + arguments, stdout=sys.stderr, stderr=sys.stderr, env=environment).returncode == 0


def run_pip(arguments, **variables):
    if not try_pip(arguments, **variables):
        fail("pip could not get the wheels (its message is above); check the network or pip's index, then run this again")


def download(scratch):
    """`pip download` into `scratch` for a Python version that torch has wheels for; we only extract libraries and import nothing."""
    machine = platform.machine()
    # pip requires each of these tags by name. Those newer than this system's C library are useless.
    minor = int((platform.libc_ver()[1] or "2.28").split(".")[1])
    platforms = [f"manylinux_2_{number}_{machine}" for number in range(minor, 16, -1)] + [f"manylinux2014_{machine}"]
    command = ["download", "--quiet", "--no-cache-dir", "--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp",
               "--abi", "cp311", "--abi", "abi3", "--abi", "none", "--dest", os.path.join(scratch, "wheels")]
    return command + [argument for name in platforms for argument in ("--platform", name)]


def index_for_cuda12(why):
    """The index given by the user: pip's own has no build for CUDA 12."""
    index = os.environ.get("NAS_TUI_TORCH_INDEX")
    if not index:
        fail(f"{why or 'CUDA 12 is asked for'}, and pip's index has torch {VERSION} for CUDA 13 only. One of these will do:\n"
             f"  - install NVIDIA driver {DRIVER_FOR_CUDA_13} or newer (that does not help a GPU older than Turing)\n"
             f"  - set NAS_TUI_TORCH_INDEX to a pip index that has torch {VERSION} for CUDA 12 (PyTorch's own for CUDA 12.6, say), "
             "and run this again\n"
             f"  - install torch {VERSION} for CUDA 12 in the Python that `python3` starts, and run this again\n"
             f"  - set LIBTORCH to a libtorch {VERSION} for CUDA 12\n"
             f"  - {ON_THE_CPU}")
    return index


def download_cuda12(scratch, driver, index):
    """The wheel for CUDA 12 and its dependencies from this index."""
    command, chosen = download(scratch), ["--index-url", index]
    old_gpu = driver is not None and driver.capability is not None and driver.capability < CAPABILITY_FOR_CUDA_13
    runs_128 = driver is None or driver.version is None or driver.version[0] >= 570
    tags = ["cu126"] if old_gpu else ["cu128", "cu126", "cu129"] if runs_128 else ["cu126", "cu128", "cu129"]
    # An index may contain a single build under its plain version.
    for requirement in [f"torch=={VERSION}+{tag}" for tag in tags] + [f"torch=={VERSION}"]:
        say(f"looking for {requirement} in NAS_TUI_TORCH_INDEX")
        if try_pip(command + chosen + ["--no-deps", requirement], TMPDIR=scratch):
            break
    else:
        # Its address may contain a password.
        fail(f"the index that NAS_TUI_TORCH_INDEX names has no torch {VERSION} for CUDA 12 and {platform.machine()} (pip's messages are above)")
    wheel = glob.glob(os.path.join(scratch, "wheels", "torch-*.whl"))
    # Its dependencies may be in its index, or only in pip's default one.
    if not try_pip(command + chosen + wheel, TMPDIR=scratch):
        run_pip(command + ["--extra-index-url", index] + wheel, TMPDIR=scratch)


def install(kind, target, driver, why):
    index = index_for_cuda12(why) if kind == "cuda12" else None
    check_disk(kind, target)
    say(f"installing libtorch {VERSION} ({kind}) into {target}: a download of about {DOWNLOAD[kind]}, once")
    with tempfile.TemporaryDirectory(dir=os.path.dirname(target)) as scratch:
        if kind == "cpu":
            run_pip(download(scratch) + ["--no-deps"] + CPU_WHEELS, TMPDIR=scratch)
        elif kind == "cuda":
            run_pip(download(scratch) + [f"torch=={VERSION}"], TMPDIR=scratch)
        else:
            download_cuda12(scratch, driver, index)
        staged = os.path.join(scratch, "libtorch")
        if kind == "cpu":
            unpack_cpu(scratch, staged)
        else:
            unpack_cuda(scratch, staged, kind)
        if os.path.isdir(target):  # an older one that is not complete
            os.rename(target, os.path.join(scratch, "old"))
        os.rename(staged, target)


def check_disk(kind, target):
    free = shutil.disk_usage(os.path.dirname(target)).free
    if free < DISK[kind]:
        fail(f"{free / GB:.1f} GB are free in {os.path.dirname(target)}, and a libtorch ({kind}) takes {DISK[kind] / GB:.0f} GB while it is "
             "installed: free some, or set XDG_CACHE_HOME to a folder on another disk")


def wheels(scratch):
    """Each wheel, removed once it has been read, because two copies of everything would be large."""
    for path in sorted(glob.glob(os.path.join(scratch, "wheels", "*.whl"))):
        with zipfile.ZipFile(path) as archive:
            yield archive
        os.remove(path)


def unpack_cpu(scratch, staged):
    def place(name):
        base = os.path.basename(name)
        if name.startswith("torch/include/"):
            return name[len("torch/"):]
        return os.path.join("lib", base) if base in CPU_LIBRARIES and "/lib/" in name else None

    for archive in wheels(scratch):
        unpack(archive, staged, place)
    missing = [name for name in CPU_LIBRARIES if not os.path.exists(os.path.join(staged, "lib", name))]
    if missing:
        fail(f"the wheels did not hold {', '.join(missing)}; set LIBTORCH to a libtorch {VERSION} instead")
    write(os.path.join(staged, "lib", "libtorch.so"), "INPUT(-ltorch_cpu)\n")
    write(os.path.join(staged, "build-version"), f"{VERSION}+cpu\n")


def unpack_cuda(scratch, staged, kind):
    """Headers and libraries at their places in the wheels: libtorch finds CUDA's libraries by their location relative to its own."""

    def place(name):
        is_ours = name.startswith(("torch/include/", "torch/lib/")) or name == "torch/version.py"
        return name if is_ours or (name.startswith("nvidia/") and "/lib/" in name) else None

    for archive in wheels(scratch):
        unpack(archive, staged, place)
    root = os.path.join(staged, "torch")
    cuda = cuda_of(root)
    if not is_complete(root) or not has_cuda(root) or cuda is None:
        fail(f"the wheels did not hold a libtorch {VERSION} with CUDA; set LIBTORCH to one instead")
    if cuda != (13 if kind == "cuda" else 12):
        fail(f"the index gave a torch for CUDA {cuda}, and {'CUDA 13' if kind == 'cuda' else 'CUDA 12'} was wanted; set "
             f"{'NAS_TUI_LIBTORCH_KIND' if kind == 'cuda' else 'NAS_TUI_TORCH_INDEX'} to another one")


def unpack(archive, staged, place):
    """Write the files for which `place` returns a path below `staged`."""
    for name in archive.namelist():
        path = None if name.endswith("/") else place(name)
        if path is None:
            continue
        destination = os.path.join(staged, path)
        if os.path.relpath(destination, staged).startswith(".."):
            fail(f"the wheel names a file outside its folder: {name}")
        os.makedirs(os.path.dirname(destination), exist_ok=True)
        with archive.open(name) as source, open(destination, "wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def main():
    if sys.version_info < OLDEST_PYTHON:
        fail(f"Python {shown(OLDEST_PYTHON)} or newer is needed, and this is {shown(sys.version_info)}: put a newer `python3` first in PATH, "
             "or start this script with one and set LIBTORCH to the folder that it prints")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", default=os.environ.get("NAS_TUI_LIBTORCH_KIND") or "auto", metavar="KIND")
    parser.add_argument("--explain", action="store_true")
    arguments = parser.parse_args()
    if arguments.kind not in KINDS:
        fail(f"`{arguments.kind}` is not a kind of libtorch; NAS_TUI_LIBTORCH_KIND or KIND must be one of: {', '.join(KINDS)}")
    driver = find_driver() if arguments.kind != "cpu" else None
    kind, why = choose(arguments.kind, driver)
    given = from_environment(kind or "cuda12", arguments.kind != "auto")
    if given:
        return finish(given, "LIBTORCH", arguments.explain)
    if kind is None:
        fail(why)
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "nas-tui")
    os.makedirs(cache, exist_ok=True)
    target = os.path.join(cache, f"libtorch-{VERSION}-{kind}")
    installed = target if kind == "cpu" else os.path.join(target, "torch")
    for origin, find in (("Python's torch", lambda: from_python(kind)),
                         ("installed before", lambda: installed if is_complete(installed) and not unfit(installed, kind) else None)):
        folder = find()
        if folder:
            return finish(folder, origin, arguments.explain)
    if platform.system() != "Linux":
        fail(f"set LIBTORCH to a libtorch {VERSION}; this script installs it on Linux only")
    install(kind, target, driver, why)
    if not is_complete(installed):
        fail(f"{installed} is incomplete after the installation; remove it and run this again")
    finish(installed, "installed now", arguments.explain)


def finish(folder, origin, explain):
    if explain:
        cuda = cuda_of(folder)
        say(f"{folder} ({origin}; {f'CUDA {cuda}' if cuda else 'CUDA' if has_cuda(folder) else 'CPU only'})")
    print(folder)


if __name__ == "__main__":
    main()
