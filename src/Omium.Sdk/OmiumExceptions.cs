using Omium.Contracts.Executions;

namespace Omium;

/// <summary>Base of what goes wrong with Omium. The message is one readable line that says what to do.</summary>
public class OmiumException : Exception
{
    /// <summary>An error with its code.</summary>
    public OmiumException(string message, string code, Exception? cause = null)
        : base(message, cause) => Code = code;

    /// <summary>Stable code, as in docs/errors.</summary>
    public string Code { get; }
}

/// <summary>Nothing answers at the address.</summary>
public sealed class ServerUnreachableException(string message, Exception? cause = null) : OmiumException(message, "server_unreachable", cause);

/// <summary>The key is missing, wrong, or may not do this.</summary>
public sealed class NotAllowedException(string message, string code = "unauthenticated") : OmiumException(message, code);

/// <summary>The balance is used up; what runs goes on after a top-up.</summary>
public sealed class CreditsExhaustedException(string message) : OmiumException(message, "CREDITS_EXHAUSTED");

/// <summary>The server refused a request.</summary>
public class ApiException(string message, string code, int status) : OmiumException(message, code)
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;
}

/// <summary>The program, started again, asks for a step with another input than was recorded: it is not deterministic.</summary>
public sealed class ReplayMismatchException(string message, int status) : ApiException(message, "replay_mismatch", status);

/// <summary>Another process does the step now, or it was taken back: what this process did of it does not count.</summary>
public sealed class LeaseLostException(string message, int status) : ApiException(message, "task_fenced", status);

/// <summary>A value cannot be recorded as JSON, or what is recorded cannot be read as the type asked for.</summary>
public sealed class NotSerializableException(string message, Exception? cause = null) : OmiumException(message, "not_serializable", cause);

/// <summary>A step failed: its output does not meet its checks, a person rejected it, or it failed when it was recorded.</summary>
public sealed class StepFailedException(string step, StepFailure failure)
    : OmiumException($"{step}: {failure.Message}{(failure.Expected is { } expected ? $" (expected {expected}; actual {failure.Actual})" : "")}", failure.Code)
{
    /// <summary>Its name.</summary>
    public string Step { get; } = step;

    /// <summary>The failure as recorded: class, code, message, expected and actual.</summary>
    public StepFailure Failure { get; } = failure;
}

/// <summary>A person has to decide before the program may go on.</summary>
public sealed class NeedsPersonException(string message, string? review) : OmiumException(message, "needs_person")
{
    /// <summary>The review; decide it with <c>omium approve</c> or in the console.</summary>
    public string? Review { get; } = review;
}

/// <summary>A workflow that was waited for has failed or was cancelled.</summary>
public sealed class ExecutionFailedException(string message, ExecutionView execution) : OmiumException(message, "execution_failed")
{
    /// <summary>Its last state.</summary>
    public ExecutionView Execution { get; } = execution;
}

/// <summary>
/// Thrown by a transaction's code: it certainly did not happen. Anything else that is thrown leaves that open, and what follows depends on the effect that was
/// declared.
/// </summary>
public sealed class NotDoneException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>
/// The program has to begin anew from its start: what is recorded answers. Let it pass. A program that catches it gets it again from the next step that it asks for.
/// </summary>
public sealed class BeginAnewException() : Exception("What this program did was taken back to an earlier step: it begins anew from its start. Let this exception pass.");
