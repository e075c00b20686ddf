"""Devices: names, threads, and one card for one process."""

from __future__ import annotations

import pytest
import torch

from neus import devices
from neus.errors import InputError


def test_the_processor_is_there_and_named():
    with devices.leased_device("cpu") as device:
        assert device.type == "cpu"
        assert "threads" in devices.device_name(device)
        assert 0 < devices.peak_memory_gib(device) < 64


def test_unknown_and_absent_devices_are_refused(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match="'tpu' is unknown"), devices.leased_device("tpu"):
        pass
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="torch sees no GPU"), devices.leased_device("cuda"):
        pass
    with devices.leased_device("auto") as device:
        assert device.type == "cpu"


def test_two_leases_get_two_cards(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
    with (
        devices._first_free_card(["a", "b"]) as first,
        devices._first_free_card(["a", "b"]) as other,
    ):
        assert (first, other) == (0, 1)
    with devices._first_free_card(["a", "b"]) as again:
        assert again == 0


def test_threads_are_set():
    before = torch.get_num_threads()
    devices.set_threads(1)
    assert torch.get_num_threads() == 1
    devices.set_threads(before)
