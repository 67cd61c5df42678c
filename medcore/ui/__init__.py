"""What the pages share: navigation, state, guards, cache, components."""
