"""Photos: found on Drive or sent from a phone, made small and harmless, kept on a shelf."""
