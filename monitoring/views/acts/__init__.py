"""What people do about one patient: each act shows its consequences before it is confirmed."""
