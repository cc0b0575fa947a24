"""The comparison engine: charts, structures, forecasts, effects and detection on dense arrays, numpy only."""
