//! The standing texts of the report.

/// Each number of the table and how it comes about.
pub const COMPUTED: [(&str, &str); 8] = [
    (
        "cost",
        "every unit is paid for from the step after its order until it is cancelled or has drained, at the price of its offer; standby units at their own price. Only scored steps count.",
    ),
    (
        "cost ÷ oracle",
        "over the cost of a fleet that knows the future and orders each unit just in time.",
    ),
    (
        "cost ÷ need",
        "paid unit-steps over the fewest unit-steps that would have carried the demand; at least one unit in each step.",
    ),
    (
        "unserved",
        "demand over the capacity of the ready units, added up, as a share of all demand. A step without an observation is not scored.",
    ),
    (
        "violation",
        "the time in which demand was over the capacity of the ready units.",
    ),
    (
        "scaling actions",
        "steps in which the policy ordered, cancelled or removed units, a day.",
    ),
    (
        "unit starts",
        "units started a day, in multiples of the mean fleet: 1 means that the whole fleet is replaced once a day.",
    ),
    (
        "forecast",
        "what was forecast for a moment at the last time at which capacity could be ordered for it, never with later knowledge. Demand stays under p95 in 95 % of all cases if the forecast is well calibrated.",
    ),
];
