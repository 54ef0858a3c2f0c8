using Omium.Kernel.Executions;
using Omium.Runtime.Effects;
using Omium.Simulation.Running;
using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Outside;

/// <summary>The model: answers, calls tools, goes round in circles, refuses, answers nonsense, is rate limited, is silent.</summary>
internal sealed class SimulatedModel(Scheduler scheduler, SimulatedProcess process, World world, Weather weather, Tally tally) : IModelClient
{
    private static readonly string[] Tools = ["plain", "twice", "checked", "final", "pricey", "nothing"];

    public Task<EffectOutcome> AnswerAsync(ModelRequest request, Action<string>? onDelta, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource<EffectOutcome>();
        var timeoutMs = (long)request.Timeout.TotalMilliseconds;
        var delayMs = weather.NetworkDelayMs(timeoutMs * 2);
        var outcome = delayMs >= timeoutMs
            ? new EffectOutcome { Failure = new EffectFailure("timeout", "model_timeout", "no answer in time") }
            : weather.Happens(weather.ModelFailsOneIn) ? Failing() : new EffectOutcome { Answer = Answer(request, onDelta) };
        scheduler.Plan(new Step(process, "answer", "model", () => done.SetResult(outcome)), Math.Min(delayMs, timeoutMs));
        return done.Task;
    }

    private EffectOutcome Failing()
    {
        var kind = weather.Dice.Below(6);
        tally.Met("model fails", kind switch { 0 => "refuses", 1 => "cut_off", 2 => "rate_limited", 3 => "nonsense", _ => "error" });
        return kind switch
        {
            0 => new EffectOutcome { Answer = new ModelAnswer { Refusal = "no", InputTokens = 3 } },
            1 => new EffectOutcome { Answer = new ModelAnswer { Content = "cut", FinishReason = "length" } },
            2 => new EffectOutcome { Failure = new EffectFailure("rate_limited", "http_429", "too many", RetryAfterMs: 3_000) },
            3 => new EffectOutcome { Answer = new ModelAnswer { Content = "  " } },
            _ => new EffectOutcome { Failure = new EffectFailure("model_error", "http_500", "something broke", Permanent: weather.Dice.OneIn(6)) },
        };
    }

    private ModelAnswer Answer(ModelRequest request, Action<string>? onDelta)
    {
        if (request.AnswerSchemaName == "verdict")
        {
            var verdict = weather.Happens(3) ? weather.Dice.Of<string>(["reject", "abstain"]) : "approve";
            var reason = $"r{world.VerdictOfReason.Count + 1}";
            world.VerdictOfReason[reason] = verdict;
            return new ModelAnswer { Content = $$"""{"verdict": "{{verdict}}", "reason": "{{reason}}"}""", InputTokens = 4, OutputTokens = 1 };
        }

        if (weather.Loud > 0 && request.Tools.Count > 0 && weather.Happens(2))
        {
            var count = weather.Dice.Between(1, weather.Loud);
            var calls = Enumerable.Range(1, count).Select(Call).ToArray();
            return new ModelAnswer { ToolCalls = calls, FinishReason = "tool_calls", InputTokens = 7, OutputTokens = 2 };
        }

        var tag = $"m{world.EffectOfTag.Count + 1}";
        world.EffectOfTag[tag] = "";
        onDelta?.Invoke(tag); // The runner says for which effect this came.
        return new ModelAnswer { Content = $$"""{"n": {{SimulatedTools.Number(weather)}}, "tag": "{{tag}}"}""", InputTokens = 5, OutputTokens = 1 };
    }

    private ModelToolCall Call(int number)
    {
        var tool = weather.Dice.Of(Tools);
        var arguments = weather.Happens(20) ? "{broken" : $$"""{"a": {{weather.Dice.Below(weather.Dice.OneIn(10) ? 12 : 3)}}, "amount": {{(weather.Dice.OneIn(3) ? 20_000 : 5)}}}""";
        return new ModelToolCall($"call_{number}", tool, arguments);
    }
}

/// <summary>The channel to people: loses some and is tried again.</summary>
internal sealed class SimulatedNotifier(Scheduler scheduler, SimulatedProcess process, Weather weather, Dictionary<(string Execution, int Number), int> delivered) : INotifier
{
    public Task<string?> TryNotifyAsync(Omium.Runtime.Executions.ExecutionCell cell, NotificationRequested notification, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource<string?>();
        scheduler.Plan(new Step(process, "notify", "notification", () =>
        {
            if (weather.Happens(6))
            {
                done.SetResult("the channel is down");
                return;
            }

            var key = (cell.Stream.Id, notification.Notification);
            delivered[key] = delivered.GetValueOrDefault(key) + 1;
            done.SetResult(null);
        }), 1);
        return done.Task;
    }
}
