//! A probe, seen from the program that starts it.

use std::io::{BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::task::{Assignment, Numbers, ProbeAnswer, ProbeTask};
use crate::evaluate::environment;
use crate::foundation::device::Device;
use crate::foundation::messages;
use crate::foundation::spawning::die_with_this_process;
use crate::foundation::thread::spawn;

/// Time limit for one answer. A device that hangs must not block the report.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running probe; killed when dropped.
pub struct ProbeProcess {
    process: Child,
    answers: Receiver<ProbeAnswer>,
}

impl ProbeProcess {
    /// Start `program probe` with an assignment. TF32 is switched off for the whole process through
    /// environment variables of cuDNN and cuBLAS, because tch has no other switch.
    ///
    /// # Errors
    /// If no process can be started.
    pub fn start(
        program: &Path,
        device: Device,
        threads: usize,
        numbers: Numbers,
        tasks: Vec<ProbeTask>,
    ) -> std::io::Result<ProbeProcess> {
        let mut command = Command::new(program);
        command
            .arg("probe")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        environment::of_training(&mut command, threads, 1);
        match numbers {
            Numbers::F32 => command.env("NVIDIA_TF32_OVERRIDE", "0"),
            Numbers::Tf32 | Numbers::Bf16 => command.env_remove("NVIDIA_TF32_OVERRIDE"),
        };
        die_with_this_process(&mut command);
        let mut process = command.spawn()?;
        let missing = || std::io::Error::other("a pipe of the probe is missing");
        let mut stdin = process.stdin.take().ok_or_else(missing)?;
        let (stdout, stderr) = (
            process.stdout.take().ok_or_else(missing)?,
            process.stderr.take().ok_or_else(missing)?,
        );
        stdin.write_all(&serde_json::to_vec(&Assignment {
            device,
            threads,
            tasks,
        })?)?;
        drop(stdin);
        let answers = messages::receive_all("nas-answers", stdout)?;
        // No one reads its warnings, but a full pipe would block it.
        let swallow =
            move || std::io::copy(&mut BufReader::new(stderr).by_ref(), &mut std::io::sink());
        spawn("nas-silence", swallow)?;
        Ok(ProbeProcess { process, answers })
    }

    /// The answer to the next task; [`ProbeAnswer::Failed`] if the process dies or hangs.
    pub fn next(&mut self) -> ProbeAnswer {
        match self.answers.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.process.kill();
                ProbeAnswer::Failed(format!("no answer within {} s", PATIENCE.as_secs()))
            }
            Err(RecvTimeoutError::Disconnected) => ProbeAnswer::Failed(self.ending()),
        }
    }

    fn ending(&mut self) -> String {
        match self.process.wait() {
            Ok(status) => format!("the process that tried it died ({status})"),
            Err(error) => format!("the process that tried it is lost: {error}"),
        }
    }
}

impl Drop for ProbeProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
