"""PyTorch's side of kindred-bench train, embed and load: a process that does steps when it is asked to.

It reads one JSON object a line from its input and answers each with one on its output; the first, of which it makes
its work, says what it is to do:
    {"task": "embed" or "train", "model": "mgn" or "resnet50", "identities": N, "batch": N, "height": N, "width": N,
     "threads": N, "precision": "fp32", "bf16" or "fp16", "device": "cpu" or "cuda:N",
     "cudnn_benchmark": true, "compile": false}
    {"task": "load", "files": [...], "batch": N, "height": N, "width": N, "threads": N}
    -> {"torch": "2.13.0", ..., "parameters": N, "flops": FLOP of an image forwards}, or {"error": "..."}
Then {"steps": N} -> {"seconds": S}, as often as wanted. It ends when its input does. Between two answers it waits in a
read and computes nothing.
"""
import json
import os
import platform
import sys
import time


def answer(channel, content):
    channel.write(json.dumps(content) + "\n")
    channel.flush()


class NetworkWork:
    def __init__(self, wanted):
        import torch

        import networks

        self.torch = torch
        self.device = torch.device(wanted["device"])
        torch.set_num_threads(wanted["threads"])
        torch.backends.cudnn.benchmark = wanted["cudnn_benchmark"]
        torch.manual_seed(1)
        self.trains = wanted["task"] == "train"
        self.precision = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[wanted["precision"]]
        self.network = networks.build(wanted["model"], wanted["identities"])
        self.network.train(self.trains)
        height, width, batch = wanted["height"], wanted["width"], wanted["batch"]
        self.about = {
            "parameters": networks.network_parameters(self.network),
            "flops": networks.flops_of_forward(self.network, height, width),
        }
        self.network.to(self.device, memory_format=torch.channels_last)
        self.optimizers = self.network.optimizers() if self.trains else []
        self.scaler = None
        if self.trains and self.precision == torch.float16:
            self.scaler = torch.amp.GradScaler(self.device.type)
        self.images = torch.randn(batch, 3, height, width)
        each = max(1, min(4, batch // 2))
        self.labels = torch.arange(batch) // each % wanted["identities"]
        self.call = torch.compile(self.network) if wanted["compile"] else self.network

    def autocast(self):
        return self.torch.autocast(self.device.type, dtype=self.precision, enabled=self.precision is not None)

    def step(self):
        torch = self.torch
        images = self.images.to(self.device, memory_format=torch.channels_last, non_blocking=True)
        if not self.trains:
            with torch.inference_mode(), self.autocast():
                rows = self.call(images).float()
                torch.nn.functional.normalize(rows).cpu()
            return
        labels = self.labels.to(self.device)
        with self.autocast():
            outputs = self.call(images)
        loss = self.network.losses(outputs, labels)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        if self.scaler is None:
            loss.backward()
            for optimizer in self.optimizers:
                optimizer.step()
        else:
            self.scaler.scale(loss).backward()
            for optimizer in self.optimizers:
                self.scaler.step(optimizer)
            self.scaler.update()

    def wait(self):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize(self.device)


class LoadWork:
    """Decodes and augments images of files in one thread: resize, flip, pad and crop, normalize."""

    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)
    padding = 10

    def __init__(self, wanted):
        import torch
        from PIL import Image

        torch.set_num_threads(1)
        torch.manual_seed(1)
        self.torch = torch
        self.open = Image.open
        self.files = wanted["files"]
        self.batch = wanted["batch"]
        self.next = 0
        height, width = wanted["height"], wanted["width"]
        import PIL

        self.about = {"pillow": PIL.__version__}
        try:
            import torchvision
            from torchvision import transforms

            self.transform = transforms.Compose(
                [
                    transforms.Resize((height, width)),
                    transforms.RandomHorizontalFlip(),
                    transforms.Pad(self.padding),
                    transforms.RandomCrop((height, width)),
                    transforms.ToTensor(),
                    transforms.Normalize(self.mean, self.std),
                ]
            )
            self.about["transforms"] = "torchvision " + torchvision.__version__
        except Exception:  # missing, or built for another torch: both are common
            self.transform = self.own_transform(height, width)
            self.about["transforms"] = "PIL + NumPy (torchvision does not work here)"

    def own_transform(self, height, width):
        """What torchvision's transforms of the same names do, with the same libraries below."""
        import random

        import numpy
        from PIL import Image, ImageOps

        torch = self.torch
        mean = torch.tensor(self.mean).view(3, 1, 1)
        std = torch.tensor(self.std).view(3, 1, 1)
        draw = random.Random(1)

        def transform(image):
            image = image.resize((width, height), Image.BILINEAR)
            if draw.random() < 0.5:
                image = image.transpose(Image.FLIP_LEFT_RIGHT)
            image = ImageOps.expand(image, border=self.padding)
            left, top = draw.randint(0, 2 * self.padding), draw.randint(0, 2 * self.padding)
            image = image.crop((left, top, left + width, top + height))
            pixels = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).contiguous()
            return pixels.to(torch.float32).div(255).sub_(mean).div_(std)

        return transform

    def step(self):
        images = []
        for _ in range(self.batch):
            with self.open(self.files[self.next]) as image:
                images.append(self.transform(image.convert("RGB")))
            self.next = (self.next + 1) % len(self.files)
        self.torch.stack(images)

    def wait(self):
        pass


def main():
    sys.dont_write_bytecode = True  # the folder may be installed, and somebody else's
    # What libraries print must not come between the answers.
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        wanted = json.loads(sys.stdin.readline())
        work = LoadWork(wanted) if wanted["task"] == "load" else NetworkWork(wanted)
        if wanted.get("compile"):
            work.step()  # compiles, or says why it cannot
    except Exception as error:
        answer(channel, {"error": f"{type(error).__name__}: {error}"})
        return 1
    import torch

    answer(channel, {"torch": torch.__version__, "python": platform.python_version(), **work.about})
    for line in sys.stdin:
        try:
            steps = json.loads(line)["steps"]
            start = time.perf_counter()
            for _ in range(steps):
                work.step()
            work.wait()
            answer(channel, {"seconds": time.perf_counter() - start})
        except Exception as error:
            answer(channel, {"error": f"{type(error).__name__}: {error}"})
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
