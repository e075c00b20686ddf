"""Threads of the host beside a card: their order, their faults, and pictures that they share."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from neus.stereo import side_by_side
from neus.stereo.pictures import Pictures
from neus.stereo.side_by_side import host_threads, in_order
from tests.helpers.textured_scenes import textured_scene

CPU, CARD = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> torch.device:
    """A card that nobody asks anything."""
    monkeypatch.setattr(side_by_side, "_take_stream", lambda device: None)
    monkeypatch.setattr(side_by_side, "MOST", 4)
    monkeypatch.setattr(side_by_side.os, "sched_getaffinity", lambda process: range(4))
    return CARD


def test_beside_a_card_threads_go_ahead_and_results_keep_their_order(card: torch.device):
    threads, began = [], []

    def work(view: int) -> int:
        began.append(view)
        threads.append(threading.current_thread())
        time.sleep(0.02 * (view % 3 == 1))
        return view * view

    assert list(in_order(work, 12, card)) == [view * view for view in range(12)]
    assert threads[0] is threading.main_thread(), "the first compiles what the others use"
    assert threading.main_thread() not in threads[1:]
    assert len(set(threads)) > 2
    assert sorted(began) == list(range(12))
    assert list(in_order(work, 0, card)) == []


def test_on_the_cpu_one_comes_after_the_other():
    began = []
    for view in in_order(lambda view: began.append(view) or view, 3, CPU):
        assert began == list(range(view + 1))
    assert host_threads(CPU) == torch.get_num_threads()


def test_a_fault_in_a_thread_is_that_of_the_caller(card: torch.device):
    def work(view: int) -> int:
        if view == 2:
            raise ValueError("view 2")
        return view

    with pytest.raises(ValueError, match="view 2"):
        list(in_order(work, 6, card))


def test_threads_read_a_picture_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    scene, _ = textured_scene(tmp_path, "plane", views=6)
    read, counts = Pictures._read, np.zeros(6, int)

    def counted(self: Pictures, view: int) -> list:
        counts[view] += 1
        time.sleep(0.01)
        return read(self, view)

    monkeypatch.setattr(Pictures, "_read", counted)
    pictures = Pictures(scene, pixels=10**6, levels=2)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda k: pictures.at(k % 6, 1), range(48)))
    assert (counts == 1).all()
    assert all(seen[k] is seen[k % 6] for k in range(48))
