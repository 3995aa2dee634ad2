"""The pages: a package per entry of the menu, those of the group Settings below `settings`."""
