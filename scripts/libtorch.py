#!/usr/bin/env python3
"""Find or install libtorch 2.11.0 and print the folder that LIBTORCH must name.

    scripts/libtorch.py            print the folder; install it first where there is none
    scripts/libtorch.py --explain  also say on stderr where it came from

Order: $LIBTORCH; a Python `torch` of that version; the folder this script installed before
(${XDG_CACHE_HOME:-~/.cache}/nas-tui/libtorch-2.11.0-{cpu,cuda}); a fresh install from the PyPI wheels.
Without an NVIDIA driver three wheels are enough, and of them only the files that a CPU build needs
are unpacked. With a driver, torch is installed with all its dependencies, so that CUDA works.
The installed folder appears under its name only when it is complete (it is renamed into place).
"""
import argparse
import glob
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile

VERSION = "2.11.0"
CPU_WHEELS = [f"torch=={VERSION}", "nvidia-cuda-runtime==13.0.96", "nvidia-cuda-cupti==13.0.85"]
CPU_LIBRARIES = ["libtorch_cpu.so", "libc10.so", "libgomp.so.1", "libcudart.so.13", "libcupti.so.13"]


def say(text):
    print(f"libtorch: {text}", file=sys.stderr, flush=True)


def fail(text):
    say(text)
    sys.exit(1)


def is_complete(folder):
    """Headers of the right version and the two libraries that every build links."""
    header = os.path.join(folder, "include", "torch", "headeronly", "version.h")
    libraries = all(os.path.exists(os.path.join(folder, "lib", name)) for name in ("libtorch_cpu.so", "libc10.so", "libtorch.so"))
    return libraries and has_version(header)


def has_version(header):
    try:
        text = open(header, encoding="utf-8").read()
    except OSError:
        return False
    major, minor, patch = VERSION.split(".")
    wanted = [f"#define TORCH_VERSION_MAJOR {major}", f"#define TORCH_VERSION_MINOR {minor}", f"#define TORCH_VERSION_PATCH {patch}"]
    return all(line in text for line in wanted)


def from_environment():
    folder = os.environ.get("LIBTORCH")
    if not folder:
        return None
    if not is_complete(folder):
        fail(f"LIBTORCH={folder} is not a libtorch {VERSION} (include/ and lib/libtorch.so); unset it or point it to one")
    return folder


def from_python():
    """The folder of an importable torch of the right version, found without importing it."""
    spec = importlib.util.find_spec("torch")
    folder = os.path.dirname(spec.origin) if spec and spec.origin else None
    return folder if folder and is_complete(folder) else None


def has_nvidia_driver():
    return os.path.exists("/proc/driver/nvidia/version") or shutil.which("nvidia-smi") is not None


def pip():
    """A pip command, installing Debian's package where Python came without one and we may."""
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


def run_pip(arguments):
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
    result = subprocess.run(pip() + arguments, stdout=sys.stderr, env=environment)
    if result.returncode != 0:
        fail("pip could not get the wheels (its message is above); check the network or pip's index, then run this again")


def install_cpu(target):
    machine = platform.machine()
    with tempfile.TemporaryDirectory(dir=os.path.dirname(target)) as scratch:
        wheels, staged = os.path.join(scratch, "wheels"), os.path.join(scratch, "libtorch")
        # Any Python may ask for this wheel: we take libraries out of it, and import nothing.
        run_pip(["download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp",
                 "--abi", "cp311", "--abi", "none", "--platform", f"manylinux_2_28_{machine}",
                 "--platform", f"manylinux_2_25_{machine}", "--platform", f"manylinux_2_17_{machine}",
                 "--platform", f"manylinux2014_{machine}", "--dest", wheels] + CPU_WHEELS)
        os.makedirs(os.path.join(staged, "lib"))
        for wheel in glob.glob(os.path.join(wheels, "*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                unpack_needed(archive, staged)
        missing = [name for name in CPU_LIBRARIES if not os.path.exists(os.path.join(staged, "lib", name))]
        if missing:
            fail(f"the wheels did not hold {', '.join(missing)}; set LIBTORCH to a libtorch {VERSION} instead")
        with open(os.path.join(staged, "lib", "libtorch.so"), "w", encoding="ascii") as script:
            script.write("INPUT(-ltorch_cpu)\n")
        with open(os.path.join(staged, "build-version"), "w", encoding="ascii") as version:
            version.write(f"{VERSION}+cpu\n")
        os.rename(staged, target)


def unpack_needed(archive, staged):
    for name in archive.namelist():
        base = os.path.basename(name)
        if name.startswith("torch/include/") and base:
            destination = os.path.join(staged, name[len("torch/"):])
        elif base in CPU_LIBRARIES and "/lib/" in name:
            destination = os.path.join(staged, "lib", base)
        else:
            continue
        if os.path.relpath(destination, staged).startswith(".."):
            fail(f"the wheel names a file outside its folder: {name}")
        os.makedirs(os.path.dirname(destination), exist_ok=True)
        with archive.open(name) as source, open(destination, "wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)


def install_cuda(target):
    with tempfile.TemporaryDirectory(dir=os.path.dirname(target)) as scratch:
        staged = os.path.join(scratch, "site")
        run_pip(["install", "--quiet", "--target", staged, f"torch=={VERSION}"])
        os.rename(staged, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--explain", action="store_true")
    explain = parser.parse_args().explain
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "nas-tui")
    os.makedirs(cache, exist_ok=True)
    kind = "cuda" if has_nvidia_driver() else "cpu"
    target = os.path.join(cache, f"libtorch-{VERSION}-{kind}")
    installed = os.path.join(target, "torch") if kind == "cuda" else target
    for origin, find in (("LIBTORCH", from_environment), ("Python's torch", from_python),
                         ("installed before", lambda: installed if is_complete(installed) else None)):
        folder = find()
        if folder:
            if explain:
                say(f"{folder} ({origin})")
            print(folder)
            return
    if platform.system() != "Linux":
        fail(f"set LIBTORCH to a libtorch {VERSION}; this script installs it on Linux only")
    say(f"installing libtorch {VERSION} ({kind}) into {target}: a download of about {'3 GB' if kind == 'cuda' else '550 MB'}, once")
    (install_cuda if kind == "cuda" else install_cpu)(target)
    if not is_complete(installed):
        fail(f"{installed} is incomplete after the installation; remove it and run this again")
    print(installed)


if __name__ == "__main__":
    main()
