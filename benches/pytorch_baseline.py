#!/usr/bin/env python3
"""The work of `nas-tui bench` as a PyTorch user would write it: one network after another, torchvision's transforms, a DataLoader.

    python3 benches/pytorch_baseline.py --children benches/children_small.json --data cifar-10-batches-bin --images 5120
    nas-tui bench --children benches/children_small.json --data cifar10:cifar-10-batches-bin --images 5120 --json

Both train on the first images of CIFAR-10's batches 1 to 4 (random crop with 4 pixels of padding, flip, normalisation; SGD with
learning rate 0.1, Nesterov momentum 0.9, weight decay 1e-4) and measure accuracy on the first 1,000 of batch 5 after each epoch. Both
print a JSON line for each network and one of the same fields at the end. The clock starts when the images are in memory.
Needs torch, torchvision, numpy and pillow; docs/PERFORMANCE.md was measured with torch 2.11 and torchvision 0.26.
"""
import argparse
import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torchvision import transforms

VALIDATION = 1_000
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
RECORD = 1 + 3 * 32 * 32


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not at least 1")
    return value


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", metavar="FILE", required=True, help="architecture file: one network or a list")
    parser.add_argument("--data", metavar="DIR", required=True, help="CIFAR-10's binary version, unpacked: data_batch_1.bin, ...")
    parser.add_argument("--images", metavar="N", type=positive, default=5120, help="training images (default %(default)s)")
    parser.add_argument("--epochs", metavar="N", type=positive, default=1, help="passes over them (default %(default)s)")
    parser.add_argument("--batch-size", metavar="N", type=positive, default=128, help="images per step (default %(default)s)")
    parser.add_argument("--threads", metavar="N", type=positive, help="CPU threads (default: PyTorch's)")
    given = parser.parse_args()
    try:
        with open(given.children, encoding="utf-8") as file:
            children = json.load(file)
    except (OSError, ValueError) as error:
        parser.error(f"{given.children}: {error}")
    given.children = children if isinstance(children, list) else [children]
    if any(child["input"] != [3, 32, 32] for child in given.children):
        parser.error("the networks must take images of 3x32x32, as CIFAR-10's are")
    missing = [name for name in (f"data_batch_{n}.bin" for n in range(1, 6)) if not os.path.isfile(os.path.join(given.data, name))]
    if missing:
        parser.error(f"{given.data} has no {missing[0]}: unpack cifar-10-binary.tar.gz (`nas-tui data fetch cifar10`)")
    return given


def join(tensors):
    """Concatenate by channels; smaller ones are zero-padded, centred, to the largest."""
    height, width = max(t.shape[2] for t in tensors), max(t.shape[3] for t in tensors)
    padded = []
    for tensor in tensors:
        down, right = height - tensor.shape[2], width - tensor.shape[3]
        if down or right:
            tensor = F.pad(tensor, (right // 2, right - right // 2, down // 2, down - down // 2))
        padded.append(tensor)
    return padded[0] if len(padded) == 1 else torch.cat(padded, dim=1)


class Network(nn.Module):
    """The network of an architecture file: convolution, batch norm and ReLU per layer, global average pooling, a linear classifier."""

    def __init__(self, architecture):
        super().__init__()
        channels = [architecture["input"][0], *(layer["filters"] for layer in architecture["layers"])]
        self.inputs = [layer["inputs"] for layer in architecture["layers"]]
        self.output = architecture["output"]
        self.layers = nn.ModuleList()
        for layer in architecture["layers"]:
            wide = sum(channels[number] for number in layer["inputs"])
            convolution = nn.Conv2d(wide, layer["filters"], tuple(layer["kernel"]), tuple(layer["stride"]), tuple(layer["padding"]), bias=False)
            self.layers.append(nn.Sequential(convolution, nn.BatchNorm2d(layer["filters"]), nn.ReLU(inplace=True)))
        self.classifier = nn.Linear(sum(channels[number] for number in self.output), architecture["classes"])

    def forward(self, images):
        return self.maps(images)[1]

    def maps(self, images):
        """The output of every layer (0 is the images), and the logits."""
        maps = [images]
        for numbers, layer in zip(self.inputs, self.layers):
            maps.append(layer(join([maps[number] for number in numbers])))
        return maps, self.classifier(join([maps[number] for number in self.output]).mean(dim=(2, 3)))


class Cifar10(torch.utils.data.Dataset):
    """The first `count` images of some batch files, each converted to a tensor by `transform` on access."""

    def __init__(self, folder, batches, count, transform):
        records = np.concatenate([np.fromfile(os.path.join(folder, f"data_batch_{n}.bin"), dtype=np.uint8) for n in batches])
        records = records.reshape(-1, RECORD)[:count]
        self.labels = records[:, 0].astype(np.int64)
        self.images = [Image.fromarray(pixels) for pixels in np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))]
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(self.images[index]), self.labels[index]


def data_sets(folder, count):
    plain = [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    augmented = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), *plain]
    train = Cifar10(folder, (1, 2, 3, 4), count, transforms.Compose(augmented))
    return train, Cifar10(folder, (5,), VALIDATION, transforms.Compose(plain))


def accuracy(network, loader, device):
    network.eval()
    right = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (network(images.to(device)).argmax(dim=1).cpu() == labels).sum().item()
    return right / len(loader.dataset)


def train_one(network, train, validation, device, epochs, batch_size):
    """The best validation accuracy of the epochs."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    loader = torch.utils.data.DataLoader(train, batch_size, shuffle=True, num_workers=2)
    held_out = torch.utils.data.DataLoader(validation, 500, num_workers=2)
    best = 0.0
    for _ in range(epochs):
        network.train()
        for images, labels in loader:
            optimizer.zero_grad()
            F.cross_entropy(network(images.to(device)), labels.to(device)).backward()
            optimizer.step()
        best = max(best, accuracy(network, held_out, device))
    return best


def main():
    given = arguments()
    if given.threads:
        torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train, validation = data_sets(given.data, given.images)
    if len(train) < given.images:
        sys.exit(f"pytorch_baseline: batches 1 to 4 hold {len(train)} images, fewer than --images {given.images}")
    begun = time.perf_counter()
    for number, architecture in enumerate(given.children):
        since = time.perf_counter()
        network = Network(architecture).to(device)
        best = train_one(network, train, validation, device, given.epochs, given.batch_size)
        print(json.dumps({
            "child": number,
            "name": architecture.get("name"),
            "seconds": round(time.perf_counter() - since, 3),
            "valid_accuracy": best,
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
        }), flush=True)
    wall = time.perf_counter() - begun
    print(json.dumps({
        "children": len(given.children),
        "wall_seconds": round(wall, 3),
        "children_per_hour": round(3600 * len(given.children) / wall, 2),
        "train_images_per_second": round(len(train) * given.epochs * len(given.children) / wall, 1),
        "device": device,
        "threads": torch.get_num_threads(),
        "workers": 1,
    }))


if __name__ == "__main__":
    main()
