"""Workers: they run workflows and activities."""
