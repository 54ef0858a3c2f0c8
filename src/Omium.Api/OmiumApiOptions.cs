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

    /// <summary>Longest request body of what takes a few words (a pause, a key, an alias), in bytes. Default 64 KiB.</summary>
    [Range(1_024, 256 * 1024 * 1024)]
    public int SmallBodyBytesMax { get; set; } = 64 * 1024;

    /// <summary>Requests a key may send in a second, on average; 0 = as many as it likes. Default 100. Counted in each process.</summary>
    [Range(0, 1_000_000)]
    public double RatePerSecond { get; set; } = 100;

    /// <summary>Requests a key may send at once after a pause. Default 200.</summary>
    [Range(1, 1_000_000)]
    public int RateBurst { get; set; } = 200;

    /// <summary>Time between two comments that keep an idle event stream open. Default 15 s.</summary>
    public TimeSpan StreamHeartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long an event stream stays open after the execution has ended and everything was sent. Default 2 s.</summary>
    public TimeSpan StreamLinger { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long an event stream stays open at most; then it ends by itself between two records, and the client takes it up with <c>Last-Event-ID</c>. For
    /// hosts that cut long answers off. Default: as long as the execution runs.
    /// </summary>
    public TimeSpan? StreamFor { get; set; }

    /// <summary>
    /// How often an event stream, or a request that waits (<c>Prefer: wait=N</c>), looks into the log for what other processes wrote. Default: never; then every record
    /// must be written by this process.
    /// </summary>
    public TimeSpan? LookEvery { get; set; }

    /// <summary>Event streams open at the same time, in each process. Default 2,000; one more is answered 503. Each keeps at most 4 MiB for a slow reader.</summary>
    [Range(1, 100_000)]
    public int StreamListenersMax { get; set; } = 2_000;

    /// <summary>How many of them may be one tenant's, so that none takes all. Default 1,000, half of them.</summary>
    [Range(1, 100_000)]
    public int StreamListenersPerTenantMax { get; set; } = 1_000;

    /// <summary>
    /// How long the answer about an execution that has ended is believed without reading its log again. Default 1 minute. What this process writes is seen at once;
    /// only a retry in another process is seen that much later.
    /// </summary>
    public TimeSpan EndedAnswersKeptFor { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest time that <c>Prefer: wait=N</c> is honoured for. Default 60 s.</summary>
    public TimeSpan WaitMax { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>An effect whose <c>amount</c> exceeds this is a high-value operation, in USD. Default 10,000.</summary>
    public double HighValueUsd { get; set; } = 10_000;

    /// <summary>Most bytes of large values that one answer carries in place; beyond it they stay references. Default 8 MiB.</summary>
    public long AnswerPayloadBytesMax { get; set; } = 8 * 1024 * 1024;

    /// <summary>Prefix of the <c>type</c> link of problem documents, before <c>docs/errors/{code}.md</c>. Default: a link relative to the server.</summary>
    public string ErrorPagePrefix { get; set; } = "/";

    /// <summary>Whether strangers may make accounts, each with a tenant of its own. Default true; invitations work either way.</summary>
    public bool SignUp { get; set; } = true;

    /// <summary>Iterations of PBKDF2 with HMAC-SHA-512 for passwords. Default 210,000 (OWASP); raised, old hashes are renewed at the next sign-in.</summary>
    [Range(100_000, 10_000_000)]
    public int PasswordIterations { get; set; } = 210_000;

    /// <summary>Failed sign-ins for one account from one address within <see cref="SignInWindow"/>. Default 5; ten times as many for an account, twenty times for an address.</summary>
    [Range(1, 10_000)]
    public int SignInAttemptsMax { get; set; } = 5;

    /// <summary>Approval tokens that are not good, from one address within <see cref="SignInWindow"/>. Default 100, as many as failed sign-ins; good ones do not count.</summary>
    [Range(1, 1_000_000)]
    public int ApprovalAttemptsMax { get; set; } = 100;

    /// <summary>The time in which attempts are counted. Default 15 minutes.</summary>
    public TimeSpan SignInWindow { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Answers to sign-ups come at whole multiples of this after the request, so that their time does not tell what was found. Default 500 ms.</summary>
    public TimeSpan SignUpBeat { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long an access token of a session is good for. Default 15 minutes.</summary>
    public TimeSpan AccessFor { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>A session that is not refreshed for so long has ended. Default 14 days.</summary>
    public TimeSpan SessionIdleFor { get; set; } = TimeSpan.FromDays(14);

    /// <summary>A session ends after this, however much it is used. Default 30 days.</summary>
    public TimeSpan SessionFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long an invitation can be accepted. Default 7 days.</summary>
    public TimeSpan InvitationFor { get; set; } = TimeSpan.FromDays(7);

    /// <summary>
    /// The header in which a trusted proxy names the client's address. Default null: the address of the connection counts. Set it only where every
    /// request comes through that proxy, or anybody can name any address.
    /// </summary>
    public string? ClientAddressHeader { get; set; }

    /// <summary>
    /// The tenant whose people Azure Static Web Apps vouches for by <c>x-ms-client-principal</c>. Default null: the header counts for nothing. Set it
    /// only in linked mode, where nobody reaches this server but through the Static Web App.
    /// </summary>
    public string? ClientPrincipalTenant { get; set; }

    /// <summary>The address under which browsers reach this server, where a proxy stands before it. Default null: what requests say.</summary>
    public Uri? PublicUrl { get; set; }
}
