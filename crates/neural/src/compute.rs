//! Where training runs.

use burn_tensor::Device;
use serde::{Deserialize, Serialize};

/// The device that trains. Forecasting is a few hundred thousand multiplications and always runs on the
/// processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compute {
    /// One core of the processor.
    #[default]
    Cpu,
    /// The graphics card of this number through CUDA; needs the feature `cuda`.
    Cuda(usize),
    /// The default graphics card through wgpu; needs the feature `wgpu`.
    Wgpu,
}

impl Compute {
    /// The device, or what to do if it was not built in.
    pub(crate) fn device(self) -> Result<Device, &'static str> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            #[cfg(feature = "cuda")]
            Self::Cuda(index) => Ok(Device::cuda(index)),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda(_) => Err("build with the feature `cuda`, or train on the processor"),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Ok(Device::wgpu(burn_tensor::DeviceKind::DefaultDevice)),
            #[cfg(not(feature = "wgpu"))]
            Self::Wgpu => Err("build with the feature `wgpu`, or train on the processor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_built_in_is_refused() {
        assert!(Compute::Cpu.device().is_ok());
        assert_eq!(Compute::Cuda(0).device().is_ok(), cfg!(feature = "cuda"));
        assert_eq!(Compute::Wgpu.device().is_ok(), cfg!(feature = "wgpu"));
    }
}
