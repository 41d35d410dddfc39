"""Train with PyTorch Lightning in every task of the job and print the count: ``train_lightning.py NODES DEVICES``."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import pytorch_lightning
import torch

# The role's own example, which lies next to this file: its images and its network.
path = pathlib.Path(__file__).resolve().with_name("train_digits.py")
spec = importlib.util.spec_from_file_location("train_digits", path)
digits = importlib.util.module_from_spec(spec)
spec.loader.exec_module(digits)


class Reader(pytorch_lightning.LightningModule):
    """The example's network."""

    def __init__(self):
        """Of the same weights in every process."""
        super().__init__()
        self.network = digits.network()

    def training_step(self, batch, _number):
        """The loss of one batch."""
        images, shown = batch
        return torch.nn.functional.cross_entropy(self.network(images), shown)

    def configure_optimizers(self):
        """As the example."""
        return torch.optim.Adam(self.parameters(), lr=2e-3)


def main():
    """Train; then every process adds its number, and all compare their weights."""
    nodes, devices = (int(number) for number in sys.argv[1:])
    torch.set_num_threads(1)
    pytorch_lightning.seed_everything(0)
    images, shown = digits.load(digits.DATA)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, shown), batch_size=64, shuffle=True)
    trainer = pytorch_lightning.Trainer(
        accelerator="cpu",
        devices=devices,
        num_nodes=nodes,
        strategy="ddp",
        max_epochs=12,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = Reader()
    trainer.fit(model, loader)
    ranks = trainer.strategy.reduce(torch.tensor(trainer.global_rank + 1.0), reduce_op="sum").item()
    weights = sum(parameter.detach().double().sum() for parameter in model.parameters())
    least, most = trainer.strategy.all_gather(weights).min().item(), trainer.strategy.all_gather(weights).max().item()
    if ranks != trainer.world_size * (trainer.world_size + 1) / 2 or least != most:
        raise SystemExit("the processes disagree: sum of ranks %r, weights from %r to %r" % (ranks, least, most))
    if trainer.is_global_zero:
        loss, _accuracy = digits.evaluate(model.network, images, shown)
        environment = type(trainer.strategy.cluster_environment).__name__
        print("result: loss=%.4f processes=%d environment=%s" % (loss, trainer.world_size, environment), flush=True)


if __name__ == "__main__":
    main()
    # Lightning leaves the group to the interpreter's end.
    digits.leave()
