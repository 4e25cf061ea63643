#!/usr/bin/env python3
"""Make assets/fashion-mnist-mini/: 6,000 training and 1,000 test images of Fashion-MNIST, equally many of each class.

    scripts/make_fashion_mnist_mini.py [--source /usr/share/datasets/fashion-mnist] [--out assets/fashion-mnist-mini]

The source is the folder of Debian's package `dataset-fashion-mnist` (MIT licence, Zalando SE). Training images come
from its training files, test images from its test files. The choice is seeded and the files are written without a time
stamp, so that every run of this script makes the same bytes. Needs nothing but Python's standard library.
"""
import argparse
import gzip
import os
import random
import struct

SEED = 20_171_025  # Fashion-MNIST's publication; any fixed number would do.
CLASSES = 10
SIDE = 28
PER_CLASS = {"train": 600, "t10k": 100}


def read_idx(path):
    """Header fields (without the magic number) and payload of a compressed IDX file of bytes."""
    with gzip.open(path, "rb") as file:
        data = file.read()
    dimensions = data[3]
    sizes = struct.unpack(f">{dimensions}I", data[4 : 4 + 4 * dimensions])
    return sizes, data[4 + 4 * dimensions :]


def write_idx(path, sizes, payload):
    header = bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)
    with open(path, "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as file:
        file.write(header + payload)
    return os.path.getsize(path)


def choose(labels, per_class, rng):
    """Indices of `per_class` images of each class, in file order."""
    chosen = []
    for label in range(CLASSES):
        indices = [index for index, value in enumerate(labels) if value == label]
        chosen += rng.sample(indices, per_class)
    return sorted(chosen)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(__file__), "..", "assets", "fashion-mnist-mini"))
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    rng = random.Random(SEED)
    total = 0
    for part, per_class in PER_CLASS.items():
        images_name, labels_name = f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
        (count, height, width), pixels = read_idx(os.path.join(arguments.source, images_name))
        (label_count,), labels = read_idx(os.path.join(arguments.source, labels_name))
        assert (height, width) == (SIDE, SIDE) and count == label_count == len(labels)
        chosen = choose(labels, per_class, rng)
        size = height * width
        images = b"".join(pixels[index * size : (index + 1) * size] for index in chosen)
        total += write_idx(os.path.join(arguments.out, images_name), (len(chosen), height, width), images)
        total += write_idx(os.path.join(arguments.out, labels_name), (len(chosen),), bytes(labels[index] for index in chosen))
        print(f"{part}: {len(chosen)} images")
    print(f"{total:,} bytes in {os.path.normpath(arguments.out)}")


if __name__ == "__main__":
    main()
