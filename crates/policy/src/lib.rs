//! The policy seam and the autoscalers to compare with
