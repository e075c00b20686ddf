"""Options of a method, each as what it changes of a small one."""

from __future__ import annotations

import copy

from neus.config import MethodConfig, load_method
from tests.helpers.trainings import small_method

DIFFERENCES = {"model": {"sdf": {"gradient": {"kind": "differences"}}}}
OPTIONS = {
    "curvature from 6 taps": {
        **DIFFERENCES,
        "training": {"losses": {"curvature": [0.0, 0.0, 1e-4, 0.5]}},
    },
    "4 taps of fixed reach": {
        "model": {"sdf": {"gradient": {"kind": "differences", "taps": 4, "eps": 0.01}}}
    },
    "sines": {"model": {"sdf": {"encoding": "frequency", "all_bands_at": 0.5, "hidden_layers": 2}}},
    "relu and four features": {
        "model": {"sdf": {"activation": "relu"}, "hash_grid": {"features": 4}}
    },
    "inside out, normalised": {
        "model": {
            "sdf": {"inside_out": True, "initial_radius": 0.9, "weight_norm": True},
            "radiance": {"weight_norm": True},
        }
    },
    "directions as sines": {
        "model": {"radiance": {"direction_encoding": "frequency", "all_bands_at": 0.5}}
    },
    "another colour": {
        "model": {"radiance": {"activation": "softplus100", "output": "scale1", "normals": False}}
    },
    "all losses": {
        "training": {
            "losses": {
                "colour": [0.0, 1.0, 0.0, 0.5],
                "colour_squared": 10.0,
                "opaque": 0.1,
                "sparsity": 0.01,
                "sparsity_scale": 10.0,
                "distortion": 0.1,
            }
        }
    },
    "surroundings": {
        "model": {
            "background": "learned",
            "outside": {
                "hash_grid": {"levels": 5, "log2_entries": 10, "finest_resolution": 64},
                "radiance": {"direction_encoding": "frequency", "weight_norm": True},
                "occupancy_resolution": 24,
            },
        },
        "training": {
            "outside_samples": 2048,
            "affine_colours": True,
            "losses": {
                "opaque": 0.1,
                "sparsity": 0.01,
                "distortion": 0.1,
                "distortion_outside": 0.1,
            },
        },
    },
    "surroundings of a field in plain torch": {
        "model": {
            "background": "learned",
            "sdf": {"activation": "relu"},
            "outside": {
                "hash_grid": {"levels": 5, "log2_entries": 10, "finest_resolution": 64},
                "occupancy_resolution": 24,
            },
        },
        "training": {"outside_samples": 2048},
    },
    "density": {
        "model": {
            "kind": "nerf",
            "sdf": {"activation": "relu"},
            "radiance": {"direction_encoding": "frequency", "weight_norm": True},
        },
        "training": {
            "losses": {
                "mask": [0.0, 0.0, 0.1, 0.5],
                "colour_squared": 1.0,
                "opaque": 0.1,
                "sparsity": 0.01,
                "distortion": 0.1,
            }
        },
    },
    "activations of the distance": {
        "model": {
            "sdf": {
                "output_activation": "softplus5",
                "output_bias": -0.2,
                "feature_activation": "silu",
            }
        }
    },
    "density of other activations and features": {
        "model": {
            "kind": "nerf",
            "hash_grid": {"features": 4},
            "density": {"activation": "softplus", "feature_activation": "elu"},
            "radiance": {"activation": "silu", "output": "lin2srgb"},
        }
    },
    "surroundings of other activations and features": {
        "model": {
            "background": "learned",
            "outside": {
                "hash_grid": {
                    "levels": 5,
                    "features": 1,
                    "log2_entries": 10,
                    "finest_resolution": 64,
                },
                "density": {"activation": "softplus"},
                "radiance": {"activation": "softplus100", "output": "clamp1"},
                "occupancy_resolution": 24,
            },
        },
        "training": {"outside_samples": 2048},
    },
    "bounded sharpness": {"model": {"sdf": {"max_inv_s": [0.0, 20.0, 100.0, 1.0]}}},
}


def merged(base: dict, overlay: dict) -> dict:
    base = copy.deepcopy(base)
    for key, value in overlay.items():
        base[key] = merged(base.get(key, {}), value) if isinstance(value, dict) else value
    return base


def method_with(option: dict, steps: int = 10) -> MethodConfig:
    from dataclasses import asdict

    return load_method(None, merged(asdict(small_method(steps)), option))
