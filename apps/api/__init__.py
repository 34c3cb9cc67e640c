"""The partners' door: JSON over HTTP, the contract that integrators rely on."""
