using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Simulation.Laws;
using Omium.Simulation.Outside;
using Omium.Simulation.Scheduling;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Running;

/// <summary>Executions that come of others: children that steps run, forks that people make at the worst moment.</summary>
internal sealed partial class Simulation
{
    private const int ForksMax = 3;
    private readonly Dictionary<string, ForkStory> _forks = [];
    private DrawnWorkflow? _child;
    private int _saidOfForks;

    /// <summary>Forks, each with what its own records tell.</summary>
    public IReadOnlyCollection<ForkStory> Forks => _forks.Values;

    /// <summary>Gives some steps of a workflow a child; one workflow is the child of all.</summary>
    private DrawnWorkflow WithChildren(DrawnWorkflow workflow)
    {
        var dice = _dice.Split(20);
        for (var tries = 0; _child is null || (workflow.NeedsNobody && !_child.NeedsNobody); tries++)
        {
            _child = (WorkflowDrawer.Draw(dice.Split(tries), 9, out _) with { Name = "part", Limits = _world.Limits.Drawn }).Written();
        }

        var source = CanonicalJson.Canonicalize(JsonElement.Parse(_child.Json));
        var digest = CanonicalJson.Digest(source);
        _store.Put(new DocumentKey(Tenant, PlanCache.Kind, digest), source);
        _store.Put(new DocumentKey(Tenant, PlanCache.HeadKind, _child.Name), JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { ["version"] = 1, ["digest"] = digest }));
        var parents = _dice.Split(21);
        workflow = workflow with { Steps = [.. workflow.Steps.Select(step => step is { Type: "decision" or "tool_call", Items: null } && parents.OneIn(3) ? AsParent(step) : step)] };
        Tally.Count("children", $"{workflow.Steps.Count(step => step.Type == "workflow")} steps");
        return workflow.Written();
    }

    private static DrawnStep AsParent(DrawnStep step) => step with { Type = "workflow", Performer = "part", Timeout = null, Amount = null, ForbiddenNumber = null, Verifiers = null };

    /// <summary>A record of an execution that nobody admitted: a child, told by its first record; or a fork. False: it is neither.</summary>
    private bool ObserveKin(StreamId stream, LogRecord record)
    {
        if (!stream.Id.StartsWith("exe_", StringComparison.Ordinal) || _chronicles.ContainsKey(stream.Id))
        {
            return false;
        }

        if (_forks.TryGetValue(stream.Id, out var fork))
        {
            var body = RecordCodec.Decode(stream, record, DataKey(stream));
            Meter(stream, body, _chronicles[fork.Source]);
            _scheduler.Trace?.Add($"{_scheduler.NowMs,9}   {stream.Id} {record.Seq} {Told(body)}");
            fork.Read(body);
            return true;
        }

        _chronicles[stream.Id] = new Chronicle(stream, _child!, _world, value => Resolve(stream, value)) { Delivered = _delivered, Roots = _roots };
        return false; // It is read as any other.
    }

    /// <summary>Somebody forks an execution at some point of its past, and asks again as long as the fork is not there.</summary>
    private void ForkSome()
    {
        if (!_features.HasFlag(Features.Forks) || _forks.Count >= ForksMax || !_weather.Happens(_weather.PeopleOneIn))
        {
            return;
        }

        var source = _chronicles.Values.ElementAt(_dice.Below(_chronicles.Count));
        if (source.Workflow.IsTraced)
        {
            return; // Its program would act in both.
        }

        var records = _store.Records(source.Stream);
        if (records.Count == 0)
        {
            return;
        }

        // What executions share is told of by laws that know no forks: there only those are drawn that leave no trace in it.
        var mode = _features.HasFlag(Features.Sharing) || _dice.OneIn(2) ? ForkModes.Sandbox : ForkModes.Live;
        var last = records[_dice.Below(records.Count)];
        var step = _dice.OneIn(3) ? new StepChange(_dice.Of(source.Workflow.Steps).Id, null, null) : null;
        var story = new ForkStory(new StreamId(Tenant, $"exe_{Seed}f{_forks.Count + 1}"), source.Stream.Id, last.Seq, mode);
        _forks[story.Stream.Id] = story;
        Tally.Met($"person forks ({mode})", source.Status);
        BeginFork(story, new ForkExecution(
            0, story.Stream.Id, story.Source, story.At, Convert.ToHexStringLower(last.Hash), mode, step is null ? null : new ForkEdits(null, null, [step]), Seed, "ada", mode == ForkModes.Live ? "seen" : null));
    }

    private void BeginFork(ForkStory fork, ForkExecution command)
    {
        if (fork.Status == "none")
        {
            Submit(fork.Stream, command with { AtMs = ClockMs });
            _scheduler.Plan("fork", 5_000, () => BeginFork(fork, command));
        }
    }

    /// <summary>In the second phase somebody looks after forks as after all others; some are taken back to the start, as far as that is the fork's to do.</summary>
    private void HelpForks()
    {
        foreach (var (fork, number) in _forks.Values.Select((fork, index) => (fork, index + 1)).Where(known => !known.fork.WasTakenBack && known.fork.Status is not ("none" or "rolling_back")))
        {
            fork.WasTakenBack = true;
            if (_features.HasFlag(Features.Latecomers) && _dice.Split(60 + number).OneIn(2))
            {
                Tally.Met("person takes a fork back to the start", fork.Status);
                Submit(fork.Stream, new RollBackExecution(ClockMs, "ada", $"fork_{++_saidOfForks}", "start", "all"));
            }
        }

        foreach (var fork in _forks.Values.Where(fork => !fork.Ended || fork.OpenReviews.Any(review => review.Kind == "in_doubt")))
        {
            if (fork.OpenReviews.FirstOrDefault(review => !fork.Ended || review.Kind == "in_doubt") is { } review)
            {
                if (Answer(fork, review) is { } answer)
                {
                    Submit(fork.Stream, answer);
                }
            }
            else if (fork.Status == "paused")
            {
                Submit(fork.Stream, new ResumeExecution(ClockMs, "ada", $"fork_{++_saidOfForks}"));
            }
        }
    }

    private DecideReview? Answer(ForkStory fork, ReviewRequested review)
    {
        if (review.ExpiresMs < ClockMs)
        {
            return null; // It is asked anew by itself.
        }

        string decision;
        if (review.Kind == "in_doubt")
        {
            if (_world.UnderWay.GetValueOrDefault($"{fork.Stream.Id}/{review.Effect}") > 0)
            {
                return null;
            }

            decision = _world.Stands(fork.CallOf(review.Effect!)!.Key!) ? "done" : "redo";
        }
        else
        {
            var times = ++_saidOfForks;
            decision = review.Kind switch
            {
                "sandbox_call" => _dice.OneIn(3) ? "reject" : "answer",
                "failure" or "handoff" or "verification" when times > 60 => "reject",
                "handoff" => review.Decisions[0],
                _ => "approve",
            };
        }

        var output = decision is "answer" or "done" ? JsonElement.Parse("""{"n": 5}""") : (JsonElement?)null;
        return new DecideReview(ClockMs, review.Review, decision, review.Digest, "ada", null, output, null, null);
    }

    /// <summary>The key that seals a stream: a fork's is its root's.</summary>
    private byte[] KeyOf(StreamId stream)
    {
        var stored = _store.Key(stream)!;
        return ForkMarker.TryRead(stored, out var root, out _, out _) ? DataKey(stream with { Id = root }) : _keys.Unwrap(stored);
    }

    private IEnumerable<string> CheckKin()
    {
        var reader = new SpecDocuments(_store);
        foreach (var fork in _forks.Values.Where(fork => fork.Status != "none"))
        {
            var verified = new Verifier(reader, reader, reader, _keys).VerifyAsync(fork.Stream).GetAwaiter().GetResult();
            if (verified is not { Verdict: VerifyVerdict.Identical })
            {
                yield return $"{fork.Stream.Id}: verify says {verified?.Verdict}: {verified?.Detail}";
            }
        }

        foreach (var broken in ChildLaws.AtTheEnd(_chronicles, _forks))
        {
            yield return broken;
        }
    }
}
