#!/usr/bin/env python3
"""Check exported PyTorch code against the reference network of tests/fixtures/make_numerics.py, in real PyTorch.

    scripts/check_export.py MODEL ARCHITECTURE [MODEL ARCHITECTURE]...

MODEL is an exported model.py, or a snapshot of one (src/export/snapshots/*.py.snap). ARCHITECTURE is the network's
architecture file or what `nas-tui inspect ARCH --json` prints. For each pair: a weights file such as ours (no
num_batches_tracked) must load with strict=True, the number of parameters must be the one that the code's first lines
tell, and the logits must be those of the reference. Needs torch and safetensors.
"""
import json
import os
import re
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fixtures"))
import make_numerics  # noqa: E402


def code(path):
    text = open(path, encoding="utf-8").read()
    return text.split("---\n", 2)[2] if path.endswith(".snap") else text


def reference(architecture):
    """The reference network with batch norm statistics that differ from their initial values, so that they matter."""
    torch.manual_seed(3)
    network = make_numerics.Network(architecture).eval()
    for layer in network.layers:
        torch.nn.init.uniform_(layer.bn.weight, 0.5, 1.5)
        torch.nn.init.uniform_(layer.bn.bias, -0.5, 0.5)
        torch.nn.init.uniform_(layer.bn.running_mean, -0.2, 0.2)
        torch.nn.init.uniform_(layer.bn.running_var, 0.5, 2.0)
    return network


def check(model, architecture_file):
    text, architecture = code(model), json.load(open(architecture_file, encoding="utf-8"))
    module = {}
    exec(compile(text, model, "exec"), module)  # noqa: S102: it is our own export
    expected, network = reference(architecture), module["Network"]().eval()
    with tempfile.TemporaryDirectory() as folder:
        weights = os.path.join(folder, "weights.safetensors")
        tensors = expected.state_dict().items()
        save_file({name: tensor.clone() for name, tensor in tensors if not name.endswith("num_batches_tracked")}, weights)
        network.load_state_dict(load_file(weights), strict=True)
    told = int(re.search(r"^(\d+) parameters", text, re.MULTILINE).group(1))
    counted = sum(parameter.numel() for parameter in network.parameters())
    assert told == counted, f"{model}: its text tells {told} parameters, but it has {counted}"
    images = torch.randn(4, *architecture["input"])
    with torch.no_grad():
        difference = (network(images) - expected(images)).abs().max().item()
    assert difference < 1e-5, f"{model}: logits differ by {difference}"
    print(f"{model}: {counted} parameters, {len(network.state_dict())} tensors, logits differ by at most {difference:.1e}")


def main():
    arguments = sys.argv[1:]
    if not arguments or len(arguments) % 2:
        sys.exit(__doc__)
    for model, architecture in zip(arguments[::2], arguments[1::2]):
        check(model, architecture)


if __name__ == "__main__":
    main()
