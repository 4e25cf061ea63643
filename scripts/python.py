#!/usr/bin/env python3
"""Find or install the Python packages that the tests of exported networks need, and print a command that has them.

    scripts/python.py              print it; install onnx, onnxruntime, numpy and safetensors first where they are not there

Order: $NAS_TUI_PYTHON; the command this script installed before (${XDG_CACHE_HOME:-~/.cache}/nas-tui/python/python); a fresh
install there by pip (about 200 MB). The folder appears under its name only when it is complete.
"""
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # no __pycache__ beside the scripts

import libtorch  # noqa: E402

PACKAGES = ["onnx>=1.16", "onnxruntime>=1.17", "numpy", "safetensors"]


def works(command):
    check = [command, "-c", "import numpy, onnx, onnxruntime, safetensors"]
    return shutil.which(command) is not None and subprocess.run(check, capture_output=True).returncode == 0


def install(folder):
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as scratch:
        staged = os.path.join(scratch, "python")
        # Not a virtual environment: Debian's Python cannot create one without an additional package.
        libtorch.run_pip(["install", "--quiet", "--only-binary=:all:", "--target", os.path.join(staged, "packages")] + PACKAGES)
        command = os.path.join(staged, "python")
        with open(command, "w", encoding="utf-8") as script:
            script.write("#!/bin/sh\n# Python with the packages beside this file. Written by scripts/python.py.\n")
            script.write('PYTHONPATH="$(dirname "$0")/packages${PYTHONPATH:+:$PYTHONPATH}" exec ' + shlex.quote(sys.executable) + ' "$@"\n')
        os.chmod(command, 0o755)
        if os.path.isdir(folder):  # an older one that no longer works
            os.rename(folder, os.path.join(scratch, "old"))
        os.rename(staged, folder)


def main():
    given = os.environ.get("NAS_TUI_PYTHON")
    if given:
        if not works(given):
            libtorch.fail(f"NAS_TUI_PYTHON={given} cannot import numpy, onnx, onnxruntime and safetensors; unset or fix it")
        print(given)
        return
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(cache, "nas-tui", "python")
    command = os.path.join(folder, "python")
    if not works(command):
        libtorch.say("installing onnx and onnxruntime for the tests")
        install(folder)
    if not works(command):
        libtorch.fail(f"{command} cannot import onnx and onnxruntime; set NAS_TUI_PYTHON to a Python that can")
    print(command)


if __name__ == "__main__":
    main()
