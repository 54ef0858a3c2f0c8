using System.Collections.Concurrent;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;

namespace Omium.Api.Tests;

/// <summary>A model that plays Company X: the terms agent offers 0 % until it is told what must hold.</summary>
public sealed class PlayedModel : IModelClient
{
    private int _terms;

    /// <summary>Overrides the terms agent: gets the request and how often it was asked before.</summary>
    public Func<ModelRequest, int, EffectOutcome>? Terms { get; set; }

    public ConcurrentBag<string> Asked { get; } = [];

    public Task<EffectOutcome> AnswerAsync(ModelRequest request, Action<string>? onDelta, CancellationToken cancellation)
    {
        var system = request.Messages[0].Content!;
        Asked.Add(system);
        return Task.FromResult(system switch
        {
            _ when system.Contains("KYC verification agent", StringComparison.Ordinal) => Say("""{"verified": true}"""),
            _ when system.Contains("Credit scoring agent", StringComparison.Ordinal) => Say("""{"credit_score": 750, "risk_level": "low"}"""),
            _ when Terms is { } terms => terms(request, _terms++),
            _ when system.Contains("between 2.5", StringComparison.Ordinal) => Say("""{"apr": 5.2, "term_months": 36, "text": "36 months at 5.2 %"}"""),
            _ => Say("""{"apr": 0, "term_months": 36, "text": "36 months at 0 %"}"""),
        });
    }

    public static EffectOutcome Say(string content) => new() { Answer = new ModelAnswer { Content = content, InputTokens = 10, OutputTokens = 5 } };

    public static EffectOutcome Call(string tool, string arguments) =>
        new() { Answer = new ModelAnswer { FinishReason = "tool_calls", ToolCalls = [new ModelToolCall("call_1", tool, arguments)] } };
}

/// <summary>Tools that only count; those named as refusing fail for good.</summary>
public sealed class PlayedTools : IToolClient
{
    public ConcurrentQueue<string> Called { get; } = [];

    /// <summary>Completed by the first call.</summary>
    public TaskCompletionSource FirstCall { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What a call waits for before it answers; by default nothing.</summary>
    public Task Held { get; set; } = Task.CompletedTask;

    /// <summary>Tools that refuse every call for good.</summary>
    public HashSet<string> Refusing { get; init; } = [];

    /// <summary>Answers instead, where it is set.</summary>
    public Func<ToolRequest, Task<EffectOutcome>>? Answer { get; set; }

    public async Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation)
    {
        Called.Enqueue(request.Tool.Name);
        FirstCall.TrySetResult();
        if (Answer is { } answer)
        {
            return await answer(request);
        }

        await Held.WaitAsync(cancellation);
        return Refusing.Contains(request.Tool.Name)
            ? new EffectOutcome { Failure = new EffectFailure("tool_error", "http_422", "it was refused: 422", Permanent: true) }
            : new EffectOutcome { Result = JsonMake.Object(("status", JsonMake.Text("sent"))) };
    }
}

internal sealed class SilentNotifier : INotifier
{
    public Task<string?> TryNotifyAsync(ExecutionCell cell, NotificationRequested notification, CancellationToken cancellation) => Task.FromResult<string?>(null);
}
