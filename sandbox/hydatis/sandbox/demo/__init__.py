"""`hydatis demo`: real pods, scheduled by HYDATIS on a real control plane, and what became of them."""
