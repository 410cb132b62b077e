//! What NVIDIA accelerators draw, by the driver's management library, which is loaded where there is one.
//!
//! NVML API Reference Guide: `nvmlInit_v2`, `nvmlDeviceGetCount_v2`, `nvmlDeviceGetHandleByIndex_v2`, `nvmlDeviceGetName`,
//! `nvmlDeviceGetTotalEnergyConsumption` (millijoules since the driver was loaded, Volta and later) and
//! `nvmlDeviceGetPowerUsage` (milliwatts). Nothing of it is linked, so that machines without a driver lose nothing. When to
//! read is the caller's affair. Called by the orchestrator for the emulator's calibration.
#![expect(unsafe_code, reason = "a library of C is loaded and called")]

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::path::Path;
use std::ptr::NonNull;

use forewarm_types::host::{Accelerator, AcceleratorPower};

/// The name under which drivers install it (NVML API Reference Guide, "Known issues": the soname's major version is 1).
const LIBRARY: &str = "libnvidia-ml.so.1";

/// Bytes of a device's name: `NVML_DEVICE_NAME_V2_BUFFER_SIZE`.
const NAME: usize = 96;

type Device = *mut c_void;
type Simple = unsafe extern "C" fn() -> c_int;
type Count = unsafe extern "C" fn(*mut c_uint) -> c_int;
type Handle = unsafe extern "C" fn(c_uint, *mut Device) -> c_int;
type Name = unsafe extern "C" fn(Device, *mut c_char, c_uint) -> c_int;
type Energy = unsafe extern "C" fn(Device, *mut c_ulonglong) -> c_int;
type Power = unsafe extern "C" fn(Device, *mut c_uint) -> c_int;

/// The library, initialised, with the devices it knows.
#[derive(Debug)]
pub struct Nvml {
    devices: Vec<(String, Device)>,
    energy: Option<Energy>,
    power: Option<Power>,
    shutdown: Option<Simple>,
}

impl Nvml {
    /// Loads the driver's library; `None` where there is none, it refuses, or it knows no device.
    #[must_use]
    pub fn open() -> Option<Self> {
        Self::open_at(Path::new(LIBRARY))
    }

    /// Loads a library of a name or path, which must be NVML or behave as it does.
    #[must_use]
    pub fn open_at(library: &Path) -> Option<Self> {
        let library = Library::open(library)?;
        let init: Simple = library.function(c"nvmlInit_v2")?;
        let count: Count = library.function(c"nvmlDeviceGetCount_v2")?;
        let handle: Handle = library.function(c"nvmlDeviceGetHandleByIndex_v2")?;
        let name: Name = library.function(c"nvmlDeviceGetName")?;
        let mut known = 0;
        // SAFETY: the functions are of the types that NVML's header gives them, and what they write to is ours and live.
        let begun = unsafe { init() == 0 };
        if !begun {
            return None;
        }
        // SAFETY: as above; the library is initialised.
        let counted = unsafe { count(&raw mut known) == 0 };
        let device = |index: c_uint| {
            let (mut device, mut text) = (std::ptr::null_mut(), [0 as c_char; NAME]);
            // SAFETY: as above; the name's buffer is as long as the library is told, less a byte that stays zero.
            let found = unsafe {
                handle(index, &raw mut device) == 0 && name(device, text.as_mut_ptr(), NAME as c_uint - 1) == 0
            };
            // SAFETY: the last byte of the buffer is zero, whatever was written before it.
            let text = unsafe { CStr::from_ptr(text.as_ptr()) };
            found.then(|| (text.to_string_lossy().into_owned(), device))
        };
        let devices: Vec<_> = (0..if counted { known } else { 0 }).filter_map(device).collect();
        let nvml = Self {
            energy: library.function(c"nvmlDeviceGetTotalEnergyConsumption"),
            power: library.function(c"nvmlDeviceGetPowerUsage"),
            shutdown: library.function(c"nvmlShutdown"),
            devices,
        };
        // One without devices is shut down here.
        (!nvml.devices.is_empty()).then_some(nvml)
    }
}

impl AcceleratorPower for Nvml {
    fn read(&self) -> Vec<Accelerator> {
        let read = |(name, device): &(String, Device)| {
            let (mut millijoules, mut milliwatts) = (0, 0);
            // SAFETY: the device came from the library, which is initialised as long as this lives; what is written to is ours.
            let energy = self.energy.is_some_and(|energy| unsafe { energy(*device, &raw mut millijoules) == 0 });
            // SAFETY: as above.
            let power = self.power.is_some_and(|power| unsafe { power(*device, &raw mut milliwatts) == 0 });
            Accelerator {
                name: name.clone(),
                joules: energy.then_some(millijoules as f64 / 1e3),
                watts: power.then_some(f64::from(milliwatts) / 1e3),
            }
        };
        self.devices.iter().map(read).collect()
    }
}

impl Drop for Nvml {
    fn drop(&mut self) {
        if let Some(shutdown) = self.shutdown {
            // SAFETY: it was initialised once, and is shut down once.
            unsafe { shutdown() };
        }
    }
}

/// A loaded library. It stays loaded: the driver's may leave threads in it.
struct Library(NonNull<c_void>);

impl Library {
    fn open(name: &Path) -> Option<Self> {
        let name = CString::new(name.as_os_str().as_encoded_bytes()).ok()?;
        // SAFETY: the name ends with a zero byte; what runs on loading is the driver's, which this process trusts as the
        // kernel does.
        NonNull::new(unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) }).map(Self)
    }

    /// A function of a name, of the type that the caller says it has.
    fn function<F: Copy>(&self, name: &CStr) -> Option<F> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        // SAFETY: the library is loaded and the name ends with a zero byte.
        let symbol = NonNull::new(unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) })?;
        // SAFETY: a function pointer has the size of an object pointer here (checked above, and POSIX dlsym(3) has it so); its
        // type is the one that NVML's header gives the name.
        Some(unsafe { std::mem::transmute_copy::<NonNull<c_void>, F>(&symbol) })
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A driver of two devices, of which the second is too old to count energy.
    const DRIVER: &str = r#"
#include <string.h>
static int begun; static unsigned long long energy = 1000;
int nvmlInit_v2(void) { begun++; return 0; }
int nvmlShutdown(void) { begun--; return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = begun ? 2 : 0; return !begun; }
int nvmlDeviceGetHandleByIndex_v2(unsigned at, void **device) { *device = (void *)(unsigned long)(at + 1); return 0; }
int nvmlDeviceGetName(void *device, char *name, unsigned length) {
  strncpy(name, device == (void *)1 ? "a new one" : "an old one", length); return 0; }
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *mj) {
  if (device != (void *)1) return 3; *mj = energy += 500; return 0; }
int nvmlDeviceGetPowerUsage(void *device, unsigned *mw) { *mw = 42500; return 0; }
"#;

    #[expect(clippy::print_stderr, reason = "the test runner shows it")]
    fn compiled(source: &str) -> Option<(tempfile::TempDir, std::path::PathBuf)> {
        let folder = tempfile::tempdir().unwrap();
        let (text, library) = (folder.path().join("driver.c"), folder.path().join("libdriver.so"));
        std::fs::write(&text, source).unwrap();
        let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &text]).status();
        if made.is_ok_and(|status| status.success()) {
            return Some((folder, library));
        }
        eprintln!("SKIP nvml: there is no C compiler to make a library with");
        None
    }

    #[test]
    fn a_drivers_library_is_asked_by_its_interface() {
        let Some((_folder, library)) = compiled(DRIVER) else { return };
        let nvml = Nvml::open_at(&library).unwrap();
        let (first, then) = (nvml.read(), nvml.read());
        let names: Vec<&str> = first.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["a new one", "an old one"]);
        assert_eq!((first[0].joules, then[0].joules, first[0].watts), (Some(1.5), Some(2.0), Some(42.5)));
        assert_eq!((first[1].joules, first[1].watts), (None, Some(42.5)));
        drop(nvml);
        assert!(Nvml::open_at(&library).is_some(), "it can be begun again after it was shut down");
    }

    #[test]
    fn what_is_no_driver_is_left_alone() {
        assert!(Nvml::open_at(Path::new("/no/such/library.so")).is_none());
        let Some((_folder, library)) = compiled("int other(void) { return 0; }\n") else { return };
        assert!(Nvml::open_at(&library).is_none());
        let refuses = DRIVER.replace("begun++; return 0;", "return 9;");
        let Some((_folder, library)) = compiled(&refuses) else { return };
        assert!(Nvml::open_at(&library).is_none());
    }
}
