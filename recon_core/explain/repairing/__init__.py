"""The bookings that put a side right, and the file of them."""
