"""Method files of instant-nsr-pl's names, and the page that maps its options to ours."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import torch
import yaml

from neus.config import MethodConfig, load_method
from neus.models.kinds import new_model
from neus.models.schedule import stage_at
from neus.training.schedules import learning_rate_factor
from tests.helpers.places import ROOT

METHODS = sorted((ROOT / "config" / "methods").glob("*.yaml"))
PAGE = ROOT / "docs" / "coming-from-instant-nsr-pl.md"

ITS_METHODS = """
nerf-blender nerf-colmap neus-blender neus-bmvs neus-colmap neus-dtu neus-dtu-wmask
neuralangelo-dtu-wmask
"""

# The last part of every key of its eight configs.
OPTIONS = """
name tag seed root_dir scene cameras_file img_wh img_downscale n_test_traj_steps apply_mask
near_plane far_plane train_split val_split test_split white_bkgd use_pixel_centers spheric_poses
up_est_method center_est_method load_data_on_gpu radius num_samples_per_ray train_num_rays
max_train_num_rays grid_prune grid_prune_occ_thre dynamic_ray_sampling batch_image_sampling
randomized ray_chunk cos_anneal_end learned_background background_color num_samples_per_ray_bg
init_val modulate feature_dim grad_type finite_difference_eps method resolution chunk threshold
density_activation density_bias otype n_levels n_features_per_level log2_hashmap_size
base_resolution per_level_scale include_xyz start_level start_step update_steps activation
output_activation n_neurons n_hidden_layers sphere_init sphere_init_radius weight_norm
input_feature_dim degree color_activation geometry_bg texture_bg lambda_rgb lambda_rgb_mse
lambda_rgb_l1 lambda_mask lambda_eikonal lambda_curvature lambda_sparsity sparsity_scale
lambda_distortion lambda_distortion_bg lambda_opaque lr betas eps warmup_steps constant_steps
interval milestones schedulers factor total_iters gamma start_factor end_factor save_top_k
every_n_train_steps chunk_size export_vertex_color max_steps log_every_n_steps
num_sanity_val_steps val_check_interval limit_train_batches limit_val_batches
enable_progress_bar precision
"""


def rows() -> list[tuple[str, str, str]]:
    """The cells of the page's tables, without their heads."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]
    return [(there, here, "".join(why)) for there, here, *why in cells if there != "there"]


@cache
def workflow_keys() -> set[str]:
    """Those of the workflow, as ``video.frames``, and of scans, as ``downscale``."""
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())
    groups = {f"{name}.": value for name, value in schema["properties"].items()}
    groups |= {"": schema, "scan": schema["$defs"]["scan"]}
    return {
        f"{group if group != 'scan' else ''}{key}"
        for group, value in groups.items()
        for key in value.get("properties", {})
    }


def is_method_key(name: str) -> bool:
    found: object = MethodConfig()
    for part in name.split("."):
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def unknown_keys(cell: str) -> list[str]:
    """What a cell names and nothing has. Words follow on the group of the key before them."""
    unknown, group, workflow = [], "", workflow_keys()
    for text in re.findall(r"`([^`]*)`", cell):
        name = text.split(": ")[0]
        if name.startswith(("snakemake", "scripts/", "torchrun", "--", "run/", "config/")):
            continue  # programs and files: other tests look at their names
        if re.search(r"\.(pt|json|npz)$", name) or name in workflow:
            continue
        if (ROOT / "config" / "methods" / f"{name}.yaml").is_file():
            continue
        whole = name if is_method_key(name) else f"{group}.{name}"
        if is_method_key(whole):
            group = whole.rpartition(".")[0]
        else:
            unknown.append(name)
    return unknown


def test_every_key_of_the_second_column_exists():
    assert [key for _, here, _ in rows() for key in unknown_keys(here)] == []
    assert unknown_keys("`model.sdf.width`, `depth`, `video.sound`") == ["depth", "video.sound"]


def test_every_row_names_a_key_or_says_why_there_is_none():
    found = rows()
    assert len(found) > 80
    for there, here, why in found:
        assert here not in ("none", "always", ""), there
        assert "`" in here or (here == "no key" and len(why.split()) > 8), there


def test_all_its_methods_have_a_file_of_their_name():
    assert set(ITS_METHODS.split()) <= {path.stem for path in METHODS}


def test_every_option_stands_on_the_page():
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", PAGE.read_text()))))
    assert [option for option in OPTIONS.split() if option not in named] == []


@pytest.mark.parametrize("path", METHODS, ids=lambda path: path.stem)
def test_every_method_file_builds_its_model(path: Path):
    small = {"hash_grid": {"log2_entries": 10}}
    method = load_method(path, {"model": {**small, "outside": small}})
    model = new_model(method.model, torch.Generator().manual_seed(0))
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_neuralangelo_keeps_its_timetable():
    """One level more every 1,000 of 20,000 steps from the fourth on; rates fall after 5,000."""
    method = load_method(ROOT / "config" / "methods" / "neuralangelo-dtu-wmask.yaml")
    levels = [stage_at(method.model, step, 20_000).active_levels for step in range(0, 20_000, 500)]
    assert levels == [min(16, 4 + step // 1000) for step in range(0, 20_000, 500)]
    factors = [
        learning_rate_factor(method.training.learning_rates, step, 20_000)
        for step in (0, 4999, 12_500, 20_000)
    ]
    assert factors == pytest.approx([1, 1, 0.1**0.5, 0.1])
