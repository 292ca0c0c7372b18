"""One file per step, never changed once released. A step adds; what it drops was unused in the release before."""
