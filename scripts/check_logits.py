#!/usr/bin/env python3
"""Run an exported network on images and compare its logits with the expected ones.

    scripts/check_logits.py MODEL CASE

MODEL is a model.onnx (checked by onnx.checker, run by onnxruntime) or a model.py (run by PyTorch, with the
weights.safetensors beside it, and again when torch.jit.script has compiled it). CASE is a JSON file: {"shape": [N, C, H, W], "images": [...], "logits": [[...]]}. The first
image is also run alone. Prints one JSON object: {"difference", "operators", "opset"}, or {"difference",
"tensors", "scripted"}; `difference` is the largest of a logit.
"""
import importlib.util
import json
import os
import sys

import numpy as np


def run_onnx(path):
    import onnx
    import onnxruntime

    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    # At most two threads, because tests run in parallel.
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    facts = {"operators": sorted({node.op_type for node in model.graph.node}), "opset": model.opset_import[0].version}
    return lambda images: session.run(["logits"], {"images": images})[0], facts


def run_pytorch(path):
    import torch
    from safetensors.torch import load_file

    # Loaded as a module from a file, because torch.jit.script reads the source.
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.Network().eval()
    network.load_state_dict(load_file(os.path.join(os.path.dirname(path), "weights.safetensors")), strict=True)
    scripted = torch.jit.script(network)

    def run(images):
        with torch.no_grad():
            logits, again = network(torch.from_numpy(images)), scripted(torch.from_numpy(images))
        if not torch.allclose(logits, again, rtol=0, atol=1e-5):
            sys.exit(f"{path}: compiled by torch.jit.script, the network gives other logits")
        return logits.numpy()

    return run, {"tensors": len(network.state_dict()), "scripted": True}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    model, case = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
    run, facts = run_onnx(model) if model.endswith(".onnx") else run_pytorch(model)
    images = np.array(case["images"], dtype=np.float32).reshape(case["shape"])
    expected = np.array(case["logits"])
    differences = [np.abs(run(part) - expected[: len(part)]).max() for part in (images, images[:1])]
    print(json.dumps({"difference": float(max(differences)), **facts}))


if __name__ == "__main__":
    main()
