# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains a small network to read handwritten digits, and fails if it did not learn.

Needs only torch, 1.8 or newer, and uses a GPU if there is one. The images are in the folder of this file;
digits.LICENSE.txt names their source. The last line of the output is the result:

    result: loss=0.1234 accuracy=0.9722 epochs=15 device=cpu torch=2.13.0+cpu seconds=2.6

The exit code is 0 if the loss on images outside the training set is at most --max-loss, otherwise 1.

Under torchrun, or as several tasks of srun with MASTER_ADDR and MASTER_PORT, it trains with several processes: with
NCCL if each has its own GPU, otherwise with gloo. Before the training the processes add up their ranks, and after it
they compare their weights; the program fails if a sum or a weight is wrong.

With --checkpoint it continues from that file, if it exists, and writes it after each epoch. At SIGUSR1 it ends after
the current epoch, with exit code 0 and the last line

    checkpoint: epoch=7 of 15
"""

import argparse
import gc
import gzip
import os
import signal
import sys
import time
import warnings

# torch warns if there is no numpy, which this program does not need.
warnings.filterwarnings("ignore", message=".*NumPy.*")

import torch  # noqa: E402
from torch import distributed, nn  # noqa: E402

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.csv.gz")
# One image in five is not trained on, the same ones in every run.
HELD_OUT = 360


class Group:
    """The processes that train together."""

    def __init__(self):
        """Read rank and size from the variables of torchrun, or of srun, which counts the tasks of its own step."""
        variables = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        if "RANK" not in os.environ and int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) > 1:
            variables = ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID")
        self.rank, self.size, self.local = (
            int(os.environ.get(name, number)) for name, number in zip(variables, (0, 1, 0))
        )
        self.device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
        if self.size == 1:
            return
        backend = "gloo"
        # If srun has bound a GPU to each task, a task sees only that one.
        devices = torch.cuda.device_count()
        if torch.cuda.is_available() and (devices == 1 or self.local < devices):
            backend = "nccl"
            self.device = torch.device("cuda:%d" % (self.local if devices > 1 else 0))
            torch.cuda.set_device(self.device)
        distributed.init_process_group(backend, init_method="env://", rank=self.rank, world_size=self.size)
        self.require_sum()

    def require_sum(self):
        """Check the sum of a number of each process: if it is wrong, every gradient would be wrong."""
        number = torch.tensor([self.rank + 1.0], device=self.device)
        distributed.all_reduce(number)
        expected = self.size * (self.size + 1) / 2
        if number.item() != expected:
            fail(
                "a sum of %g over %d processes" % (expected, self.size),
                "%g" % number.item(),
                "check the network of the nodes",
            )

    def require_same(self, model):
        """Check that all processes end with the same weights."""
        if self.size == 1:
            return
        total = sum(parameter.detach().double().sum() for parameter in model.parameters()).reshape(1)
        least, most = total.clone(), total.clone()
        distributed.all_reduce(least, op=distributed.ReduceOp.MIN)
        distributed.all_reduce(most, op=distributed.ReduceOp.MAX)
        if least.item() != most.item():
            fail(
                "the same weights on every process",
                "sums from %r to %r" % (least.item(), most.item()),
                "check the output of the processes above",
            )

    def any(self, flag):
        """Whether a flag is set in any process: a signal does not reach all of them in the same epoch."""
        if self.size == 1:
            return flag
        number = torch.tensor([float(flag)], device=self.device)
        distributed.all_reduce(number)
        return number.item() > 0

    def say(self, text):
        """Print one line for all processes."""
        if self.rank == 0:
            print(text, flush=True)


class Signalled:
    """Whether SIGUSR1 has arrived."""

    def __init__(self):
        """Start to handle the signal."""
        self.yes = False
        signal.signal(signal.SIGUSR1, self.set)

    def set(self, _number, _frame):
        """Handle the signal."""
        self.yes = True


def fail(expected, found, remedy):
    """Print the error, and end."""
    print("expected %s; found %s; remedy: %s" % (expected, found, remedy), file=sys.stderr, flush=True)
    sys.exit(1)


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


def train(model, optimizer, images, digits, group, chosen_by, batch=64):
    """Train one epoch on this process's share of the images, and return the mean loss of all processes.

    :arg chosen_by: the same order of the images in every process.
    """
    model.train()
    total = torch.zeros(1, device=group.device)
    # Shares of the same size: another epoch uses the last images.
    share = len(images) // group.size
    mine = chosen_by[: share * group.size][group.rank :: group.size].to(group.device)
    for chosen in mine.split(max(batch // group.size, 1)):
        loss = nn.functional.cross_entropy(model(images[chosen]), digits[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(chosen)
    if group.size > 1:
        distributed.all_reduce(total)
    return total.item() / (share * group.size)


def save(path, **state):
    """Write a checkpoint atomically."""
    torch.save(state, path + ".partial")
    os.replace(path + ".partial", path)


def main():
    """Train, evaluate, compare with --max-loss."""
    parser = argparse.ArgumentParser(description="Train a small network on handwritten digits.")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--max-loss", type=float, default=0.25, help="exit with 1 if the held-out loss is above")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", help="continue from this file, and write it after each epoch")
    arguments = parser.parse_args()

    start, signalled = time.time(), Signalled()
    # More threads do not help so small a network, and cost much time if other programs compute too.
    torch.set_num_threads(1)
    group = Group()
    images, digits = load(DATA)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    images, digits = images[order].to(group.device), digits[order].to(group.device)
    torch.manual_seed(arguments.seed)
    model = network().to(group.device)
    trained = nn.parallel.DistributedDataParallel(model) if group.size > 1 else model
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    done = 0
    if arguments.checkpoint and os.path.exists(arguments.checkpoint):
        state = torch.load(arguments.checkpoint, map_location=group.device)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        done = state["epoch"]
        group.say("going on from epoch %d" % done)
    for epoch in range(done + 1, arguments.epochs + 1):
        # The order is drawn on the CPU, so that it is the same on every device and in every process.
        chosen_by = torch.randperm(
            len(images) - HELD_OUT, generator=torch.Generator().manual_seed(arguments.seed * 1000 + epoch)
        )
        loss = train(trained, optimizer, images[:-HELD_OUT], digits[:-HELD_OUT], group, chosen_by)
        group.say("epoch %d/%d: training loss %.4f" % (epoch, arguments.epochs, loss))
        if arguments.checkpoint and group.rank == 0:
            save(arguments.checkpoint, model=model.state_dict(), optimizer=optimizer.state_dict(), epoch=epoch)
        if arguments.checkpoint and epoch < arguments.epochs and group.any(signalled.yes):
            group.say("checkpoint: epoch=%d of %d" % (epoch, arguments.epochs))
            return 0

    group.require_same(model)
    loss, accuracy = evaluate(model, images[-HELD_OUT:], digits[-HELD_OUT:])
    learned = loss <= arguments.max_loss
    if not learned and group.rank == 0:
        print(
            "expected a held-out loss of at most %g; found %.4f; remedy: train longer (--epochs), or see the losses "
            "above" % (arguments.max_loss, loss),
            file=sys.stderr,
        )
    group.say(
        "result: loss=%.4f accuracy=%.4f epochs=%d device=%s torch=%s seconds=%.1f%s"
        % (
            loss,
            accuracy,
            arguments.epochs,
            group.device.type,
            torch.__version__,
            time.time() - start,
            " processes=%d" % group.size if group.size > 1 else "",
        )
    )
    return 0 if learned else 1


def leave():
    """End the process group while Python still runs: the threads of gloo abort an interpreter that ends before them."""
    if distributed.is_available() and distributed.is_initialized():
        # The model's objects refer to each other, and to the group, which exists as long as they do.
        gc.collect()
        distributed.destroy_process_group()


if __name__ == "__main__":
    code = main()
    leave()
    sys.exit(code)
