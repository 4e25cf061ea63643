"""Writes seeds/TARGET/*: what each target begins with, from tests/fixtures and from files made here."""
import io
import json
import shutil
import struct
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
FIXTURES = HERE.parent / "tests" / "fixtures"
SEEDS = HERE / "seeds"


def write(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def copy(target, folder, suffix):
    for path in sorted((FIXTURES / folder).rglob("*" + suffix)):
        write(target, f"{path.parent.name}-{path.name}", path.read_bytes())


def journals():
    """The first line of each kind of event alone (numbered 1), and the beginning of a journal."""
    lines = (FIXTURES / "journal-demo.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    kinds = {}
    for record in records:
        kinds.setdefault(record["event"], record)
    for kind, record in kinds.items():
        write("journal", kind, json.dumps({**record, "seq": 1}) + "\n")
    together = [{**record, "seq": number} for number, record in enumerate(kinds.values(), 1)]
    write("journal", "one-of-each", "".join(json.dumps(record) + "\n" for record in together))
    for path in sorted((FIXTURES / "fuzz" / "journal").glob("*")):
        write("journal", path.name, path.read_bytes())


def snapshots():
    """Edits of a part: its number, where (two bytes), how much is removed, how much inserted, what."""
    for part in range(5):
        write("snapshot", f"nothing-{part}", bytes([part, 0, 0, 0, 0]))
        for at in (10, 100, 1000):
            write("snapshot", f"number-{part}-{at}", bytes([part, *at.to_bytes(2, "big"), 1, 1]) + b"9")


def messages():
    dna = [[3, 8, 1, 1], [3, 8, 2, 1]]
    hello = {"protocol": "nas-tui", "version": 1}
    lines = {
        "hello-client": {"hello": {**hello, "watch": False}},
        "hello-server": {"hello": {**hello, "pid": 1, "host": "h", "run": "r"}},
        "train": {"command": {"train": {"parent": 1, "dna": dna}}},
        "skip": {"command": {"skip": {"child": 1}}},
        "speed": {"command": {"speed": {"factor": 2.5}}},
        "written": {"written": 7},
        "ended": {"ended": True},
        "refused": {"refused": "x"},
        "tick": {"tick": {"v": 1, "time": "2026-01-01T00:00:00Z", "event": "paused"}},
        "worker-pause": {"type": "pause", "number": 1},
        "worker-paused": {"type": "paused", "number": 1},
        "worker-skip": {"type": "skip", "child": 2},
        "worker-unusable": {"type": "unusable", "message": "x"},
        "worker-ready": {"type": "ready", "pid": 1},
        "worker-broken": {"type": "broken", "reason": "x"},
        "worker-train": {"type": "train", "job": {"child": 1, "seed": 2, "architecture": {
            "name": "a", "input": [1, 8, 8], "classes": 2, "output": [1], "layers": [
                {"kernel": [1, 1], "filters": 2, "stride": [1, 1], "padding": [0, 0], "inputs": [0]}]}}},
        "worker-progress": {"type": "progress", "child": 1, "epoch": 1, "epochs": 2, "batch": 1, "batches": 2,
                            "loss": 1.5, "accuracy": 0.5},
        "worker-epoch": {"type": "epoch", "child": 1, "epoch": 1, "epochs": 2, "train_loss": 1.5,
                         "train_accuracy": 0.5, "valid_loss": 1.5, "valid_accuracy": 0.5, "seconds": 1.0},
        "worker-finished": {"type": "finished", "child": 1, "outcome": {"failed": "x"}, "seconds": 1.0},
    }
    for name, line in lines.items():
        write("messages", name, json.dumps(line))
    write("messages", "pause", '{"command":"pause"}')


def data_sets():
    images = struct.pack(">IIII", 0x803, 2, 28, 28) + bytes(2 * 784)
    labels = struct.pack(">II", 0x801, 2) + bytes([3, 4])
    for which, content in enumerate([images, labels] * 2):
        write("idx", f"file-{which}", bytes([which]) + content)
        write("idx", f"cut-{which}", bytes([which]) + content[:-1])
    write("idx", "gzip", b"\x00" + __import__("gzip").compress(images, mtime=0))
    for which in range(6):
        write("cifar10", f"batch-{which}", bytes([which]) + bytes(3073))
    write("cifar10", "two-records", b"\x00" + bytes(2 * 3073))
    write("cifar10", "names", b"\x06" + "\n".join(f"class{number}" for number in range(10)).encode())
    for which, (kind, shape, size) in enumerate([("|u1", "(1, 32, 32, 3)", 3072), ("<i8", "(1,)", 8)]):
        header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        begin = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode()
        write("npy", f"version-1-{which}", bytes([which]) + begin + bytes(size))
        begin = b"\x93NUMPY\x02\x00" + struct.pack("<I", 118) + header.encode()
        write("npy", f"version-2-{which}", bytes([which]) + begin + bytes(size))


def archives():
    def archive(form, *entries):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=form) as tar:
            for entry, data in entries:
                tar.addfile(entry, io.BytesIO(data))
        return packed.getvalue()

    def entry(name, kind=tarfile.REGTYPE, size=0, link=""):
        info = tarfile.TarInfo(name)
        info.type, info.size, info.linkname = kind, size, link
        return info

    for name, form in [("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT), ("ustar", tarfile.USTAR_FORMAT)]:
        write("tar", name, archive(form, (entry("a", tarfile.DIRTYPE), b""), (entry("a/b", size=3), b"abc")))
    write("tar", "long-name", archive(tarfile.GNU_FORMAT, (entry("n" * 150, size=1), b"x")))
    write("tar", "long-pax-name", archive(tarfile.PAX_FORMAT, (entry("n/" * 140 + "e", size=1), b"x")))
    write("tar", "link", archive(tarfile.GNU_FORMAT, (entry("l", tarfile.SYMTYPE, link="/etc"), b"")))
    write("tar", "outside", archive(tarfile.GNU_FORMAT, (entry("../x", size=1), b"x")))


def weights():
    shapes = {"layers.0.conv.weight": [2, 1, 1, 1], "classifier.weight": [2, 2], "classifier.bias": [2]}
    shapes |= {f"layers.0.bn.{name}": [2] for name in ("weight", "bias", "running_mean", "running_var")}
    header, data = {}, b""
    for name, shape in shapes.items():
        size = 4
        for length in shape:
            size *= length
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + size]}
        data += bytes(size)
    for name, more in [("weights", {}), ("metadata", {"__metadata__": {"format": "pt"}})]:
        text = json.dumps({**more, **header}).encode()
        write("safetensors", name, struct.pack("<Q", len(text)) + text + data)


def main():
    shutil.rmtree(SEEDS, ignore_errors=True)
    copy("config", "configs", ".toml")
    write("config", "sample", (HERE.parent / "config.toml").read_bytes())
    copy("architecture", "architectures", ".json")
    copy("table", "tables", ".csv")
    journals()
    snapshots()
    messages()
    data_sets()
    archives()
    weights()
    for folder in sorted((FIXTURES / "fuzz").glob("*")):
        for path in sorted(folder.iterdir()):
            write(folder.name, "found-" + path.name, path.read_bytes())


main()
