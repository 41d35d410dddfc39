# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains a small network to read handwritten digits, and fails where it did not learn.

Needs torch alone, 1.8 or newer, on a GPU where there is one. The images lie beside this file; digits.LICENSE.txt says
whose they are. The last line of the output is the result, for programs too:

    result: loss=0.1234 accuracy=0.9722 epochs=15 device=cpu torch=2.13.0+cpu seconds=2.6

The exit code is 0 where the loss on images that were not trained on is at most --max-loss, 1 where it is above.
"""

import argparse
import gzip
import os
import sys
import time
import warnings

# Torch says that it found no numpy; nothing here needs it.
warnings.filterwarnings("ignore", message=".*NumPy.*")

import torch  # noqa: E402
from torch import nn  # noqa: E402

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.csv.gz")
# One image in five is kept back, the same ones in every run.
HELD_OUT = 360


def load(path):
    """Images as N x 1 x 8 x 8 between 0 and 1, and the digits that they show."""
    with gzip.open(path, "rt") as stream:
        rows = [[int(float(number)) for number in line.split(",")] for line in stream]
    images = torch.tensor([row[:-1] for row in rows], dtype=torch.float32) / 16
    return images.reshape(-1, 1, 8, 8), torch.tensor([row[-1] for row in rows])


def network():
    """Two convolutions and a classifier."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(32 * 4 * 4, 10),
    )


def evaluate(model, images, digits):
    """Mean loss and accuracy."""
    model.eval()
    with torch.no_grad():
        scores = model(images)
        loss = nn.functional.cross_entropy(scores, digits).item()
        return loss, (scores.argmax(1) == digits).float().mean().item()


def train(model, images, digits, epochs, batch=64):
    """Fit the model, and say after each epoch what the training loss was."""
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        # The order is drawn on the CPU, so that it is the same on every device.
        for chosen in torch.randperm(len(images)).to(images.device).split(batch):
            loss = nn.functional.cross_entropy(model(images[chosen]), digits[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        print("epoch %d/%d: training loss %.4f" % (epoch, epochs, total / len(images)), flush=True)


def main():
    """Train, evaluate, judge."""
    parser = argparse.ArgumentParser(description="Train a small network on handwritten digits.")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--max-loss", type=float, default=0.25, help="exit with 1 where the held-out loss is above")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    start = time.time()
    # So small a network gains nothing from more threads, and loses much where others compute too.
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images, digits = load(DATA)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    images, digits = images[order].to(device), digits[order].to(device)
    torch.manual_seed(arguments.seed)
    model = network().to(device)
    train(model, images[:-HELD_OUT], digits[:-HELD_OUT], arguments.epochs)
    loss, accuracy = evaluate(model, images[-HELD_OUT:], digits[-HELD_OUT:])

    learned = loss <= arguments.max_loss
    if not learned:
        print(
            "expected a held-out loss of at most %g; found %.4f; remedy: train longer (--epochs), or look at the losses "
            "above" % (arguments.max_loss, loss),
            file=sys.stderr,
        )
    print(
        "result: loss=%.4f accuracy=%.4f epochs=%d device=%s torch=%s seconds=%.1f"
        % (loss, accuracy, arguments.epochs, device.type, torch.__version__, time.time() - start),
        flush=True,
    )
    return 0 if learned else 1


if __name__ == "__main__":
    sys.exit(main())
