#!/usr/bin/env python3
"""PyTorch side of the games of gan-bench (games.c): one JSON line per case on standard output, as torch_bench.py.

    python3 torch_games.py --threads 1 --mode channels_last cgan cyclegan ...
    python3 torch_games.py --losses --bench build/tests/bench/gan-bench     # three steps of both sides from equal weights
    python3 torch_games.py --fixture tests/fixtures/bench_games.txt         # the same losses, for the test
    python3 torch_games.py --rounding       # how far f32 goes from f64 in three steps, here alone, with the optimizer as it is timed

A step is as its source writes it, D first, then G on the same generated samples; every optimizer is Adam(2e-4, 0.5, 0.999).
Modes: eager, channels_last, compile, and each with -fused for Adam's fused kernel. For --losses nothing is dropped, noise and
conditions are inputs, and weights and inputs come from the formula of game_make.c.
"""
import argparse, itertools, json, os, resource, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch_bench import IMPORT_S, Res, seq, timed

LOSS_BATCH = 8
GENTLE = ("pix2pix", "cyclegan")


# ------------------------------------------------------------------------------------------------ networks

def dcgan_32_up(width):
    """The generator of PyTorch-GAN's dcgan, acgan and infogan, behind its code."""
    dense = nn.Linear(width, 128 * 64)
    dense.rows = (8, 8, 128)
    return seq(dense, nn.Unflatten(1, (128, 8, 8)), nn.BatchNorm2d(128), nn.Upsample(scale_factor=2), nn.Conv2d(128, 128, 3, 1, 1),
               nn.BatchNorm2d(128, 0.8), nn.LeakyReLU(0.2), nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 3, 1, 1),
               nn.BatchNorm2d(64, 0.8), nn.LeakyReLU(0.2), nn.Conv2d(64, 1, 3, 1, 1), nn.Tanh())


def dcgan_32_down():
    def block(i, o, norm=True):
        return [nn.Conv2d(i, o, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25)] + ([nn.BatchNorm2d(o, 0.8)] if norm else [])
    return seq(*block(1, 16, False), *block(16, 32), *block(32, 64), *block(64, 128), nn.Flatten())


def from_features(outputs):
    dense = nn.Linear(512, outputs)
    dense.columns = (2, 2, 128)
    return dense


class CganG(nn.Module):
    def __init__(self):
        super().__init__()
        def block(i, o, norm=True):
            return [nn.Linear(i, o)] + ([nn.BatchNorm1d(o, 0.8)] if norm else []) + [nn.LeakyReLU(0.2)]
        self.label = nn.Embedding(10, 10)
        self.model = seq(*block(110, 128, False), *block(128, 256), *block(256, 512), *block(512, 1024), nn.Linear(1024, 1024),
                         nn.Tanh(), nn.Unflatten(1, (1, 32, 32)))

    def forward(self, z, label):
        return self.model(torch.cat((z, self.label(label)), 1)[:, ORDER_110])


ORDER_110 = list(range(100, 110)) + list(range(100))  # the class stands first


class CganD(nn.Module):
    def __init__(self):
        super().__init__()
        self.label = nn.Embedding(10, 10)
        self.model = seq(nn.Linear(1034, 512), nn.LeakyReLU(0.2), nn.Linear(512, 512), nn.Dropout(0.4), nn.LeakyReLU(0.2),
                         nn.Linear(512, 512), nn.Dropout(0.4), nn.LeakyReLU(0.2), nn.Linear(512, 1))

    def forward(self, x, label):
        return self.model(torch.cat((x.flatten(1), self.label(label)), 1))


class AcganG(nn.Module):
    def __init__(self):
        super().__init__()
        self.label, self.model = nn.Embedding(10, 100), dcgan_32_up(100)

    def forward(self, z, label):
        return self.model(self.label(label) * z)


class Heads(nn.Module):
    """D of acgan and infogan: several outputs from one trunk."""
    def __init__(self, *widths):
        super().__init__()
        self.trunk = dcgan_32_down()
        self.heads = nn.ModuleList(from_features(w) for w in widths)

    def forward(self, x):
        features = self.trunk(x)
        return [head(features) for head in self.heads]


class InfoganG(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = dcgan_32_up(74)

    def forward(self, z, label, code):
        return self.model(torch.cat((z, F.one_hot(label, 10).float(), code), 1))


class UNet(nn.Module):
    """PyTorch-GAN's pix2pix, six levels for 64x64."""
    def __init__(self):
        super().__init__()
        def down(i, o, norm=True, drop=False):
            return seq(nn.Conv2d(i, o, 4, 2, 1, bias=False), *([nn.InstanceNorm2d(o)] if norm else []), nn.LeakyReLU(0.2),
                       *([nn.Dropout(0.5)] if drop else []))
        def up(i, o, drop=False):
            return seq(nn.ConvTranspose2d(i, o, 4, 2, 1, bias=False), nn.InstanceNorm2d(o), nn.ReLU(), *([nn.Dropout(0.5)] if drop else []))
        self.downs = nn.ModuleList([down(3, 64, False), down(64, 128), down(128, 256), down(256, 512, drop=True),
                                    down(512, 512, drop=True), down(512, 512, False, True)])
        self.ups = nn.ModuleList([up(512, 512, True), up(1024, 512, True), up(1024, 256), up(512, 128), up(256, 64)])
        self.last = seq(nn.Upsample(scale_factor=2), nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(128, 3, 4, padding=1), nn.Tanh())

    def forward(self, x):
        skips = []
        for layer in self.downs:
            x = layer(x)
            skips.append(x)
        for layer, skip in zip(self.ups, skips[-2::-1]):
            x = torch.cat((layer(x), skip), 1)
        return self.last(x)


def patches(channels, bias):
    def down(i, o):
        return [nn.Conv2d(i, o, 4, 2, 1), nn.InstanceNorm2d(o), nn.LeakyReLU(0.2)]
    return seq(nn.Conv2d(channels, 64, 4, 2, 1), nn.LeakyReLU(0.2), *down(64, 128), *down(128, 256), *down(256, 512),
               nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(512, 1, 4, padding=1, bias=bias))


class PairD(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = patches(6, False)

    def forward(self, b, a):
        return self.model(torch.cat((b, a), 1))


class Residual(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.model = seq(nn.ReflectionPad2d(1), nn.Conv2d(n, n, 3), nn.InstanceNorm2d(n), nn.ReLU(), nn.ReflectionPad2d(1),
                         nn.Conv2d(n, n, 3), nn.InstanceNorm2d(n))

    def forward(self, x):
        return x + self.model(x)


def translator():
    """PyTorch-GAN's cyclegan with the six blocks that the paper has for small images."""
    def block(i, o, *first, **conv):
        return [*first, nn.Conv2d(i, o, **conv), nn.InstanceNorm2d(o), nn.ReLU()]
    up = nn.Upsample(scale_factor=2)
    return seq(*block(3, 64, nn.ReflectionPad2d(3), kernel_size=7), *block(64, 128, kernel_size=3, stride=2, padding=1),
               *block(128, 256, kernel_size=3, stride=2, padding=1), *[Residual(256) for _ in range(6)],
               *block(256, 128, up, kernel_size=3, padding=1), *block(128, 64, up, kernel_size=3, padding=1),
               nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh())


class ClassNorm(nn.Module):
    """Batch norm whose scale and shift belong to a class; norms stay as they begin, so nothing of it is filled."""
    def __init__(self, n):
        super().__init__()
        self.norm, self.gamma, self.beta = nn.BatchNorm2d(n, affine=False), nn.Parameter(torch.ones(10, n)), nn.Parameter(torch.zeros(10, n))

    def forward(self, x, label):
        return self.norm(x) * self.gamma[label][:, :, None, None] + self.beta[label][:, :, None, None]


class ClassRes(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.n1, self.n2 = ClassNorm(n), ClassNorm(n)
        self.c1, self.c2, self.sc = nn.Conv2d(n, n, 3, 1, 1), nn.Conv2d(n, n, 3, 1, 1), nn.Conv2d(n, n, 1)

    def forward(self, x, label):
        up = lambda x: F.interpolate(x, scale_factor=2)
        return self.c2(F.relu(self.n2(self.c1(up(F.relu(self.n1(x, label)))), label))) + self.sc(up(x))


class ProjectionG(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(128, 1024)
        self.dense.rows = (4, 4, 64)
        self.blocks = nn.ModuleList(ClassRes(64) for _ in range(3))
        self.last = seq(nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 3, 3, 1, 1), nn.Tanh())

    def forward(self, z, label):
        x = self.dense(z).unflatten(1, (64, 4, 4))
        for block in self.blocks:
            x = block(x, label)
        return self.last(x)


class ProjectionD(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = seq(Res(3, 64, down=True, pre=False), Res(64, 64, down=True), Res(64, 64), Res(64, 64), nn.ReLU())
        self.score, self.label = nn.Linear(64, 1), nn.Embedding(10, 64)
        self.score.bias_last = True

    def forward(self, x, label):
        features = self.blocks(x).sum((2, 3))
        return self.score(features) + (features * self.label(label)).sum(1, keepdim=True)


# --------------------------------------------------------------------------------------------------- steps

def squares(scores, target):
    return ((scores - target) ** 2).mean()


def bce(scores, target):
    return F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))


class Game:
    """What a step needs: networks, inputs, optimizers. update() is one optimizer's step; its losses are kept."""
    def __init__(self, mode, batch, given, gentle=False):
        torch.manual_seed(0)
        self.mode, self.batch, self.given, self.gentle = mode, batch, given, gentle
        self.networks, self.optimizers, self.inputs, self.losses = [], [], {}, []

    def network(self, network):
        if self.given:
            for module in network.modules():
                if isinstance(module, (nn.Dropout, nn.Dropout2d)):
                    module.p = 0.0
            fill_network(network, 1000 * (len(self.networks) + 1))
        if "channels_last" in self.mode:
            network = network.to(memory_format=torch.channels_last)
        self.networks.append(network)
        return torch.compile(network) if self.mode.startswith("compile") else network

    def optimizer(self, *networks):
        parameters = itertools.chain(*(n.parameters() for n in networks))
        rate, epsilon = (1e-4, 1.0) if self.gentle else (2e-4, 1e-8)  # game_make.c says why
        fused = True if "fused" in self.mode else None
        self.optimizers.append(torch.optim.Adam(parameters, rate, betas=(0.5, 0.999), eps=epsilon, fused=fused))
        return self.optimizers[-1]

    def given_input(self, name, make):
        if name not in self.inputs:
            self.inputs[name] = make(len(self.inputs) + 1)
        return self.inputs[name]

    def images(self, name, side, channels):
        def make(stream):
            x = mixed(stream, (self.batch, side, side, channels)).permute(0, 3, 1, 2)
            return x.contiguous(memory_format=torch.channels_last if "channels_last" in self.mode else torch.contiguous_format)
        return self.given_input(name, make)

    def labels(self, name):
        return self.given_input(name, lambda stream: (5 * (mixed(stream, (self.batch,)) + 1)).int().long())

    def classes(self, name):
        return self.labels(name) if self.given else torch.randint(0, 10, (self.batch,))

    def noise(self, name, width, draw=torch.randn):
        return self.given_input(name, lambda stream: mixed(stream, (self.batch, width))) if self.given else draw(self.batch, width)

    def update(self, optimizer, loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        self.losses.append(loss.detach())


def cgan(game):
    g, d = game.network(CganG()), game.network(CganD())
    of_d, of_g = game.optimizer(d), game.optimizer(g)
    real, label = game.images("real", 32, 1), game.labels("label")

    def step():
        z, made = game.noise("z", 100), game.classes("made")
        fake = g(z, made)
        game.update(of_d, (squares(d(real, label), 1) + squares(d(fake.detach(), made), 0)) / 2)
        game.update(of_g, squares(d(fake, made), 1))
    return step


def acgan(game):
    g, d = game.network(AcganG()), game.network(Heads(1, 10))
    of_d, of_g = game.optimizer(d), game.optimizer(g)
    real, label = game.images("real", 32, 1), game.labels("label")

    def judged(x, target, label):
        score, logits = d(x)
        return (bce(score, target) + F.cross_entropy(logits, label)) / 2

    def step():
        z, made = game.noise("z", 100), game.classes("made")
        fake = g(z, made)
        game.update(of_d, (judged(real, 1.0, label) + judged(fake.detach(), 0.0, made)) / 2)
        game.update(of_g, judged(fake, 1.0, made))
    return step


def infogan(game):
    g, d = game.network(InfoganG()), game.network(Heads(1, 10, 2))
    of_d, of_g, of_both = game.optimizer(d), game.optimizer(g), game.optimizer(g, d)
    real = game.images("real", 32, 1)
    uniform = lambda *shape: torch.rand(*shape) * 2 - 1

    def codes(more):
        return game.noise("z" + more, 62), game.classes("class" + more), game.noise("code" + more, 2, uniform)

    def step():
        fake = g(*codes(""))
        game.update(of_d, (squares(d(real)[0], 1) + squares(d(fake.detach())[0], 0)) / 2)
        game.update(of_g, squares(d(fake)[0], 1))
        z, label, code = codes("2")
        _, logits, prediction = d(g(z, label, code))
        game.update(of_both, F.cross_entropy(logits, label) + 0.1 * F.mse_loss(prediction, code))
    return step


def pix2pix(game):
    g, d = game.network(UNet()), game.network(PairD())
    of_d, of_g = game.optimizer(d), game.optimizer(g)
    a, b = game.images("a", 64, 3), game.images("b", 64, 3)

    def step():
        fake = g(a)
        game.update(of_d, (squares(d(b, a), 1) + squares(d(fake.detach(), a), 0)) / 2)
        game.update(of_g, squares(d(fake, a), 1) + 100 * F.l1_loss(fake, b))
    return step


def cyclegan(game):
    there, back = game.network(translator()), game.network(translator())
    d_a, d_b = game.network(patches(3, True)), game.network(patches(3, True))
    of_a, of_b, of_g = game.optimizer(d_a), game.optimizer(d_b), game.optimizer(there, back)
    a, b = game.images("a", 64, 3), game.images("b", 64, 3)

    def step():
        fake_b, fake_a = there(a), back(b)
        game.update(of_a, (squares(d_a(a), 1) + squares(d_a(fake_a.detach()), 0)) / 2)
        game.update(of_b, (squares(d_b(b), 1) + squares(d_b(fake_b.detach()), 0)) / 2)
        fooled = (squares(d_a(fake_a), 1) + squares(d_b(fake_b), 1)) / 2
        cycle = (F.l1_loss(back(fake_b), a) + F.l1_loss(there(fake_a), b)) / 2
        identity = (F.l1_loss(back(a), a) + F.l1_loss(there(b), b)) / 2
        game.update(of_g, fooled + 10 * cycle + 5 * identity)
    return step


def projection(game):
    g, d = game.network(ProjectionG()), game.network(ProjectionD())
    of_d, of_g = game.optimizer(d), game.optimizer(g)
    real, label = game.images("real", 32, 3), game.labels("label")

    def step():
        z, made = game.noise("z", 128), game.classes("made")
        fake = g(z, made)
        real.requires_grad_(True)
        score = d(real, label)
        slope, = torch.autograd.grad(score.sum(), real, create_graph=True)
        real.requires_grad_(False)
        loss = bce(score, 1.0) + bce(d(fake.detach(), made), 0.0) + 5 * slope.flatten(1).square().sum(1).mean()
        game.update(of_d, loss)
        game.update(of_g, bce(d(fake, made), 1.0))
    return step


CASES = {"cgan": (cgan, 64), "acgan": (acgan, 64), "infogan": (infogan, 64), "pix2pix": (pix2pix, 1), "cyclegan": (cyclegan, 1),
         "projection": (projection, 64)}


# -------------------------------------------------------------------------------------------------- losses

def mixed(stream, shape):
    """Element i of a stream, in -1 .. 1, as game_make.c has it."""
    i = np.arange(np.prod(shape), dtype=np.uint64)
    x = (i + stream * 0x9E3779B9) & 0xFFFFFFFF
    x = ((x ^ x >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ x >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    x = (x ^ x >> 16) >> 8
    x = x.astype(np.float32) * np.float32(2.0 ** -23) - np.float32(1)
    return torch.from_numpy(x).to(torch.get_default_dtype()).reshape(shape)


def in_our_order(module, weight):
    """A weight of libgan's layout in PyTorch's."""
    if weight.dim() == 4:
        return weight.permute(0, 3, 1, 2)
    if hasattr(module, "rows"):
        return weight.reshape(*module.rows, -1).permute(2, 0, 1, 3).reshape(weight.shape)
    if hasattr(module, "columns"):
        return weight.reshape(-1, *module.columns).permute(0, 3, 1, 2).reshape(weight.shape)
    return weight


def fill_network(network, stream):
    last = []
    with torch.no_grad():
        for module in network.modules():
            if not isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)):
                continue
            shape = tuple(module.weight.shape)
            ours = (shape[0], *shape[2:], shape[1])
            module.weight.copy_(in_our_order(module, mixed(stream, ours) / np.sqrt(np.prod(shape[1:]))))
            stream += 1
            if hasattr(module, "bias_last"):
                last.append(module.bias)
            elif getattr(module, "bias", None) is not None:
                bias = 0.1 * mixed(stream, tuple(module.bias.shape))
                if hasattr(module, "rows"):
                    bias = bias.reshape(*module.rows).permute(2, 0, 1).reshape(-1)
                module.bias.copy_(bias)
                stream += 1
        for bias in last:
            bias.copy_(0.1 * mixed(stream, tuple(bias.shape)))
            stream += 1


def losses(name, gentle):
    make, batch = CASES[name]
    game = Game("eager", min(batch, LOSS_BATCH), True, gentle)
    step = make(game)
    for _ in range(3):
        step()
    each = len(game.losses) // 3
    return [[float(x) for x in game.losses[i:i + each]] for i in range(0, len(game.losses), each)]


def largest_distance(ours, theirs):
    return max(abs(a - b) / max(1, abs(b)) for x, y in zip(ours, theirs) for a, b in zip(x, y))


def rounding(name):
    """What 1e-4 can mean: PyTorch in single beside PyTorch in double precision, nothing else changed."""
    single = losses(name, False)
    torch.set_default_dtype(torch.float64)
    double = losses(name, False)
    torch.set_default_dtype(torch.float32)
    print(f"{name:12} f32 and f64 at most {largest_distance(single, double):.1e} apart", flush=True)


def compare(name, bench):
    out = subprocess.run([bench, "--losses", name], check=True, stdout=subprocess.PIPE, text=True).stdout
    ours = [json.loads(line)["losses"] for line in out.splitlines()]
    theirs = losses(name, name in GENTLE)
    apart = largest_distance(ours, theirs)
    print(f"{name:12} {'agree' if apart <= 1e-4 else 'DIFFER'}, at most {apart:.1e} apart; PyTorch's: {theirs}", flush=True)
    return apart <= 1e-4


def write_fixture(path, names):
    with open(path, "w") as out:
        out.write("# Losses of three steps of the games of gan-bench, by PyTorch in f32; torch_games.py --fixture wrote it.\n")
        for name in names:
            for i, row in enumerate(losses(name, name in GENTLE)):
                out.write(f"{name} {i + 1} {' '.join(f'{x:.7g}' for x in row)}\n")


# ----------------------------------------------------------------------------------------------------- time

def measure(name, mode, threads):
    make, batch = CASES[name]
    step = make(Game(mode, batch, False))
    median, best = timed(step)
    print(json.dumps({"peer": "torch " + torch.__version__, "mode": mode, "case": name, "threads": threads, "batch": batch,
                      "ms": round(median * 1e3, 4), "min_ms": round(best * 1e3, 4),
                      "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "import_s": round(IMPORT_S, 2)}), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--mode", default="eager")
    p.add_argument("--list", action="store_true")
    p.add_argument("--losses", action="store_true")
    p.add_argument("--rounding", action="store_true")
    p.add_argument("--bench", default="build/tests/bench/gan-bench")
    p.add_argument("--fixture")
    p.add_argument("cases", nargs="*")
    a = p.parse_args()
    names = a.cases or list(CASES)
    torch.set_num_threads(a.threads)
    if a.list:
        print("\n".join(CASES))
    elif a.fixture:
        write_fixture(a.fixture, names)
    elif a.losses:
        sys.exit(not all([compare(name, a.bench) for name in names]))
    elif a.rounding:
        for name in names:
            rounding(name)
    else:
        for name in names:
            measure(name, a.mode, a.threads)


main()
