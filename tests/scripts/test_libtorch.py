"""scripts/libtorch.py as users call it: real pip, an index on 127.0.0.1 with small wheels, a fake driver."""
import ast
import contextlib
import functools
import http.server
import io
import os
import pathlib
import re
import shutil
import sys
import tempfile
import threading
import unittest
import zipfile
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))

import libtorch  # noqa: E402

HEADER = "".join(f"#define TORCH_VERSION_{part} {number}\n" for part, number in (("MAJOR", 2), ("MINOR", 11), ("PATCH", 0)))
COMMON = {"torch/include/torch/headeronly/version.h": HEADER, "torch/lib/libtorch_cpu.so": "", "torch/lib/libc10.so": "",
          "torch/lib/libtorch.so": "", "torch/lib/libgomp.so.1": "", "torch/utils/unused.py": ""}
REAL_DRIVER_FILE = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}  Sun May 12 19:39:15 UTC 2024\nGCC version:  gcc 12.2.0\n"


def with_cuda(version):
    local = version.replace(".", "")
    return dict(COMMON, **{"torch/lib/libtorch_cuda.so": "", "torch/version.py": f"__version__ = '2.11.0+cu{local}'\ncuda: str = '{version}'\n"})


def wheel(index, name, version, files, needs=(), tag="cp311-cp311-manylinux_2_28_x86_64"):
    """A wheel in the index, as users download it."""
    project, base = index / name, name.replace("-", "_")
    project.mkdir(parents=True, exist_ok=True)
    meta = f"{base}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.10\n"
    metadata += "".join(f"Requires-Dist: {need}\n" for need in needs)
    metadata += "".join(f"Provides-Extra: {extra}\n" for need in needs for extra in re.findall('extra == "(.*)"', need))
    with zipfile.ZipFile(project / f"{base}-{version}-{tag}.whl", "w") as archive:
        for path, text in dict(files, **{f"{meta}/METADATA": metadata, f"{meta}/RECORD": "",
                                         f"{meta}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n"}).items():
            archive.writestr(path, text)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@unittest.skipUnless(sys.platform == "linux" and os.uname().machine == "x86_64", "the wheels of this test are for Linux on x86-64")
class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enter(tempfile.TemporaryDirectory()))
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.cache = self.folder / "cache" / "nas-tui"
        self.variables = {"XDG_CACHE_HOME": str(self.folder / "cache"), "PATH": f"{self.bin}:{os.environ['PATH']}",
                          "PIP_CONFIG_FILE": os.devnull}
        self.enter(mock.patch.object(libtorch, "DRIVER_FILE", str(self.folder / "no-driver")))
        self.enter(mock.patch.object(sys, "path", [path for path in sys.path if "site-packages" not in path]))

    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def driver(self, version, nvidia_smi=None):
        file = self.folder / "driver"
        file.write_text(REAL_DRIVER_FILE.format(version))
        self.enter(mock.patch.object(libtorch, "DRIVER_FILE", str(file)))
        if nvidia_smi is not None:
            self.nvidia_smi(nvidia_smi)

    def nvidia_smi(self, script):
        (self.bin / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (self.bin / "nvidia-smi").chmod(0o755)

    def serve(self, name="index"):
        """An empty index; its folder and its address."""
        folder = self.folder / name
        folder.mkdir()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return folder, f"http://127.0.0.1:{server.server_address[1]}/"

    def index(self):
        """pip's default index, with the wheels that a plain `torch==2.11.0` resolves to."""
        folder, address = self.serve("index")
        self.variables["PIP_INDEX_URL"] = address
        toolkit = 'cuda-toolkit[cublas]==13.0.2; platform_system == "Linux"'
        wheel(folder, "torch", "2.11.0", dict(with_cuda("13.0"), **{"torch/lib/libcudart.so.13": ""}), ["pure", toolkit])
        wheel(folder, "pure", "1.0", {"pure/__init__.py": ""}, tag="py3-none-any")
        wheel(folder, "cuda-toolkit", "13.0.2", {}, ['nvidia-cublas==13.1.0.3; extra == "cublas"'], tag="py3-none-any")
        wheel(folder, "nvidia-cublas", "13.1.0.3", {"nvidia/cu13/lib/libcublas.so.13": "", "nvidia/cu13/include/cublas.h": ""},
              tag="py3-none-manylinux_2_27_x86_64")
        for name, version, library in (("nvidia-cuda-runtime", "13.0.96", "libcudart.so.13"), ("nvidia-cuda-cupti", "13.0.85", "libcupti.so.13")):
            wheel(folder, name, version, {f"nvidia/cu13/lib/{library}": ""}, tag="py3-none-manylinux2014_x86_64")

    def run_script(self, *arguments, **variables):
        """Exit status, standard output and standard error."""
        output, error = io.StringIO(), self.enter(tempfile.TemporaryFile("w+"))
        environment = dict(os.environ, **self.variables)
        environment.update(variables)
        for name in ("LIBTORCH", "NAS_TUI_LIBTORCH_KIND", "NAS_TUI_TORCH_INDEX", "PIP_FIND_LINKS", "PIP_NO_INDEX"):
            if name not in variables:
                environment.pop(name, None)
        with mock.patch.dict(os.environ, environment, clear=True), mock.patch.object(sys, "argv", ["libtorch.py", *arguments]), \
                contextlib.redirect_stdout(output), contextlib.redirect_stderr(error):
            status = 0
            try:
                libtorch.main()
            except SystemExit as exit:
                status = exit.code
        error.seek(0)
        return status, output.getvalue().strip(), error.read()

    def folder_of(self, name, files):
        """A user's own libtorch."""
        for path, text in files.items():
            path = self.folder / name / path[len("torch/"):]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return str(self.folder / name)


class WithoutADriver(Case):
    def test_the_build_for_the_cpu_is_installed_with_the_libraries_it_needs(self):
        self.index()
        status, folder, error = self.run_script("--explain")
        self.assertEqual((status, folder), (0, str(self.cache / "libtorch-2.11.0-cpu")), error)
        self.assertIn("CPU only", error)
        names = sorted(os.listdir(os.path.join(folder, "lib")))
        self.assertEqual(names, sorted(libtorch.CPU_LIBRARIES + ["libtorch.so"]))
        self.assertEqual(self.run_script(), (0, folder, ""), "the second call finds it")

    def test_a_login_node_or_a_container_can_ask_for_cuda(self):
        self.index()
        for arguments, variables in ((["cuda"], {}), ([], {"NAS_TUI_LIBTORCH_KIND": "cuda"})):
            status, folder, error = self.run_script(*arguments, **variables)
            self.assertEqual((status, folder), (0, str(self.cache / "libtorch-2.11.0-cuda" / "torch")), error)

    def test_a_kind_that_does_not_exist_is_refused_with_those_that_do(self):
        status, _, error = self.run_script("gpu")
        self.assertEqual(status, 1)
        self.assertIn("auto, cpu, cuda, cuda12", error)

    def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(self):
        with mock.patch.object(shutil, "disk_usage", return_value=shutil._ntuple_diskusage(10 ** 10, 0, 10 ** 9)):
            status, _, error = self.run_script("cuda")
        self.assertEqual(status, 1)
        self.assertIn("1.0 GB are free", error)
        self.assertIn("XDG_CACHE_HOME", error)


class WithANewDriver(Case):
    def setUp(self):
        super().setUp()
        self.driver("580.95.05")

    def test_torch_is_installed_with_the_libraries_of_cuda_where_it_looks_for_them(self):
        self.index()
        status, folder, error = self.run_script()
        self.assertEqual(status, 0, error)
        root = pathlib.Path(folder).parent
        self.assertTrue((root / "torch/lib/libtorch_cuda.so").exists())
        self.assertTrue((root / "nvidia/cu13/lib/libcublas.so.13").exists(), "an extra of a requirement of torch")
        for left_out in ("pure", "torch/utils", "nvidia/cu13/include"):
            self.assertFalse((root / left_out).exists(), left_out)
        self.assertEqual(self.run_script()[:2], (0, folder))

    def test_the_cpu_can_be_asked_for(self):
        self.index()
        self.assertEqual(self.run_script("cpu")[1], str(self.cache / "libtorch-2.11.0-cpu"))

    def test_a_libtorch_for_the_cpu_that_the_user_names_is_used_with_a_warning(self):
        named = self.folder_of("mine", COMMON)
        status, folder, error = self.run_script(LIBTORCH=named)
        self.assertEqual((status, folder), (0, named))
        self.assertIn("warning", error)
        self.assertIn("built for the CPU only", error)
        self.assertEqual(self.run_script("cpu", LIBTORCH=named), (0, named, ""), "who asks for the CPU needs no warning")

    def test_a_libtorch_of_another_kind_than_the_user_asks_for_is_refused(self):
        status, folder, error = self.run_script("cuda", LIBTORCH=self.folder_of("mine", COMMON))
        self.assertEqual((status, folder), (1, ""))
        self.assertIn("unset LIBTORCH", error)

    def test_a_python_torch_for_the_cpu_is_passed_over_and_told(self):
        self.index()
        torch = self.folder_of("site/torch", dict(COMMON, **{"torch/__init__.py": ""}))
        with mock.patch.object(sys, "path", [str(self.folder / "site")] + sys.path):
            status, folder, error = self.run_script()
            self.assertEqual((status, folder), (0, str(self.cache / "libtorch-2.11.0-cuda" / "torch")))
            self.assertIn(f"{torch} is not used: it is built for the CPU only", error)
            self.assertEqual(self.run_script("cpu")[1], torch)

    def test_a_gpu_that_is_older_than_cuda_13_takes_cuda_12(self):
        self.nvidia_smi('case "$*" in *compute_cap*) echo 9.0; echo 7.0;; esac')
        status, _, error = self.run_script()
        self.assertEqual(status, 1)
        self.assertIn("compute capability 7.0 is too old for CUDA 13", error)


class WithAnOlderDriver(Case):
    def setUp(self):
        super().setUp()
        self.driver("535.183.01")

    def cuda_12(self, version):
        folder, address = self.serve("cuda12")
        wheel(folder, "torch", version, with_cuda("12.6"), ["nvidia-cublas-cu12==12.6.4.1", "pure"])
        wheel(folder, "nvidia-cublas-cu12", "12.6.4.1", {"nvidia/cublas/lib/libcublas.so.12": ""}, tag="py3-none-manylinux2014_x86_64")
        return address

    def test_without_an_index_it_says_what_can_be_done(self):
        status, folder, error = self.run_script()
        self.assertEqual((status, folder), (1, ""))
        self.assertIn("driver 535.183 is too old for CUDA 13, which wants 580 or newer", error)
        for remedy in ("install NVIDIA driver 580", "NAS_TUI_TORCH_INDEX", "`python3` starts", "set LIBTORCH", "export NAS_TUI_LIBTORCH_KIND=cpu",
                       "KIND=cpu to every call of make"):
            self.assertIn(remedy, error)
        self.assertNotIn("installing", error, "nothing is announced that will not be done")
        with mock.patch.object(shutil, "disk_usage", return_value=shutil._ntuple_diskusage(10 ** 10, 0, 10 ** 9)):
            self.assertEqual(self.run_script(), (1, "", error), "the disk does not matter before")

    def test_the_cpu_that_it_names_as_a_way_out_does_for_every_later_call(self):
        self.index()
        folder = str(self.cache / "libtorch-2.11.0-cpu")
        for _ in ("make setup", "make build"):
            status, found, error = self.run_script(NAS_TUI_LIBTORCH_KIND="cpu")
            self.assertEqual((status, found), (0, folder), error)

    def test_the_build_for_cuda_12_comes_from_the_index_that_the_user_names_and_what_it_lacks_from_pips_own(self):
        self.index()
        status, folder, error = self.run_script("--explain", NAS_TUI_TORCH_INDEX=self.cuda_12("2.11.0+cu126"))
        self.assertEqual((status, folder), (0, str(self.cache / "libtorch-2.11.0-cuda12" / "torch")), error)
        self.assertIn("CUDA 12", error)
        self.assertTrue((pathlib.Path(folder).parent / "nvidia/cublas/lib/libcublas.so.12").exists())
        self.assertEqual(self.run_script()[:2], (0, folder), "the second call needs no index")

    def test_an_index_that_has_only_cuda_13_is_refused(self):
        self.index()
        status, _, error = self.run_script(NAS_TUI_TORCH_INDEX=self.variables["PIP_INDEX_URL"])
        self.assertEqual(status, 1)
        self.assertIn("the index gave a torch for CUDA 13, and CUDA 12 was wanted", error)
        self.assertEqual(os.listdir(self.cache), [], "nothing is left of it")

    def test_an_index_without_torch_is_told(self):
        status, _, error = self.run_script(NAS_TUI_TORCH_INDEX=self.serve("empty")[1])
        self.assertEqual(status, 1)
        self.assertIn("has no torch 2.11.0 for CUDA 12", error)

    def test_a_python_torch_for_cuda_12_is_taken_and_one_for_cuda_13_is_not(self):
        for version, taken in (("12.8", True), ("13.0", False)):
            site = f"site-{version}"
            torch = self.folder_of(f"{site}/torch", dict(with_cuda(version), **{"torch/__init__.py": ""}))
            with mock.patch.object(sys, "path", [str(self.folder / site)] + sys.path):
                status, folder, error = self.run_script()
            self.assertEqual((status, folder), (0, torch) if taken else (1, ""))
            self.assertEqual("it is built for CUDA 13" in error, not taken)

    def test_a_libtorch_for_cuda_13_that_the_user_names_is_used_with_a_warning(self):
        named = self.folder_of("mine", with_cuda("13.0"))
        status, folder, error = self.run_script(LIBTORCH=named)
        self.assertEqual((status, folder), (0, named))
        self.assertIn("built for CUDA 13", error)


class TheDriver(Case):
    def found(self):
        with mock.patch.dict(os.environ, self.variables):
            return libtorch.find_driver()

    def test_its_version_stands_in_the_kernels_file(self):
        self.driver("570.124.06")
        self.assertEqual(self.found().version, (570, 124, 6))

    def test_or_nvidia_smi_tells_it(self):
        self.nvidia_smi('case "$*" in *driver_version*) echo 535.54; echo 535.54;; *) echo 8.0; echo 8.6;; esac')
        self.assertEqual(self.found(), libtorch.Driver((535, 54), (8, 0)))

    def test_an_nvidia_smi_that_fails_is_a_driver_of_unknown_version(self):
        self.nvidia_smi("echo NVIDIA-SMI has failed; exit 9")
        driver = self.found()
        self.assertEqual(driver, libtorch.Driver(None, None))
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(libtorch.choose("auto", driver), ("cuda", None))
        self.assertIn("neither it nor nvidia-smi tells its version", said.getvalue())

    def test_one_that_is_too_old_for_every_build_is_told_with_what_it_takes(self):
        self.driver("470.256.02")
        status, _, error = self.run_script()
        self.assertEqual(status, 1)
        self.assertIn("driver 470.256 is too old for every CUDA build", error)
        self.assertIn("export NAS_TUI_LIBTORCH_KIND=cpu", error)


class AnOldPython(Case):
    def test_is_told_which_one_is_needed(self):
        with mock.patch.object(sys, "version_info", (3, 6, 8, "final", 0)):
            status, folder, error = self.run_script()
        self.assertEqual((status, folder), (1, ""))
        self.assertIn("Python 3.7 or newer is needed, and this is 3.6", error)

    @unittest.skipIf(sys.version_info < (3, 8), "ast.parse knows no older grammar")
    def test_can_read_the_script_to_tell_so(self):
        ast.parse(pathlib.Path(libtorch.__file__).read_text(encoding="utf-8"), feature_version=(3, 6))


if __name__ == "__main__":
    unittest.main()
