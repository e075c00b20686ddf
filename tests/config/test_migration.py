"""Method files of instant-nsr-pl's names, and the page that maps its options to ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from neus.config import load_method
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
