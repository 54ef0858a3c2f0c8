using System.ComponentModel.DataAnnotations;

namespace Omium.Api;

/// <summary>Settings of the HTTP API.</summary>
public sealed class OmiumApiOptions
{
    /// <summary>Longest request body, in bytes. Default 4 MiB; a longer one is answered 413.</summary>
    [Range(1_024, 256 * 1024 * 1024)]
    public int BodyBytesMax { get; set; } = 4 * 1024 * 1024;

    /// <summary>Longest request body that starts an execution, in bytes: inputs may be large. Default 64 MiB.</summary>
    [Range(1_024, 256 * 1024 * 1024)]
    public int InputBytesMax { get; set; } = 64 * 1024 * 1024;

    /// <summary>Time between two comments that keep an idle event stream open. Default 15 s.</summary>
    public TimeSpan StreamHeartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long an event stream stays open after the execution has ended and everything was sent. Default 2 s.</summary>
    public TimeSpan StreamLinger { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Event streams open at the same time. Default 1,000; one more is answered 503. Each keeps at most 4 MiB for a slow reader.</summary>
    [Range(1, 100_000)]
    public int StreamListenersMax { get; set; } = 1_000;

    /// <summary>Longest time that <c>Prefer: wait=N</c> is honoured for. Default 60 s.</summary>
    public TimeSpan WaitMax { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>An effect whose <c>amount</c> exceeds this is a high-value operation, in USD. Default 10,000.</summary>
    public double HighValueUsd { get; set; } = 10_000;

    /// <summary>Most bytes of large values that one answer carries in place; beyond it they stay references. Default 8 MiB.</summary>
    public long AnswerPayloadBytesMax { get; set; } = 8 * 1024 * 1024;

    /// <summary>Prefix of the <c>type</c> link of problem documents, before <c>docs/errors/{code}.md</c>. Default: a link relative to the server.</summary>
    public string ErrorPagePrefix { get; set; } = "/";
}
