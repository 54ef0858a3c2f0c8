using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Omium.Cli.Servers;

/// <summary>One request as it came in.</summary>
internal sealed record ReceiverArrival(string Name, string Method, string? IdempotencyKey, string? EffectId, JsonNode? Body, bool Dedupe);

/// <summary>What happens to a request.</summary>
internal sealed record ReceiverVerdict(ReceiverControl Control, bool Fails);

/// <summary>A counted request: its line, and what it is answered.</summary>
internal sealed record ReceiverCounted(JsonObject Line, JsonNode Answer);

/// <summary>What the receiver has counted. Thread-safe; a line is on the disk before <see cref="Count"/> returns.</summary>
internal sealed class ReceiverLedger : IDisposable
{
    private readonly ReceiverOptions _options;
    private readonly JsonLineLog _log;
    private readonly Lock _gate = new();
    private readonly List<JsonObject> _lines = [];
    private readonly Dictionary<string, int> _arrivals = [];
    private readonly Dictionary<string, int> _effects = [];
    private readonly Dictionary<(string Name, string Key), JsonNode> _answers = [];
    private readonly Dictionary<string, ReceiverControl> _controls = [];
    private readonly Dictionary<string, List<TaskCompletionSource>> _holds = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ReceiverLedger(ReceiverOptions options)
    {
        _options = options;
        _log = new JsonLineLog(options.LogPath);
        foreach (var line in _log.Read())
        {
            Remember(line);
            var name = (string)line["name"]!;
            _arrivals[name] = _arrivals.GetValueOrDefault(name) + 1;
        }
    }

    /// <summary>Numbers a request and decides whether it fails.</summary>
    public ReceiverVerdict Arrive(ReceiverArrival arrival)
    {
        lock (_gate)
        {
            var number = _arrivals[arrival.Name] = _arrivals.GetValueOrDefault(arrival.Name) + 1;
            var control = _controls.GetValueOrDefault(arrival.Name) ?? new ReceiverControl();
            if (control.FailTimes > 0)
            {
                var left = control.FailTimes - 1;
                _controls[arrival.Name] = control with { FailTimes = left, DropConnection = control.DropConnection && left > 0 };
                return new(control, Fails: true);
            }

            return new(control, control.DropConnection || FailsByRate(arrival.Name, number));
        }
    }

    /// <summary>Counts a request, or notes that it repeats one.</summary>
    public ReceiverCounted Count(ReceiverArrival arrival, ReceiverControl control, bool writeNow)
    {
        lock (_gate)
        {
            var first = arrival is { Dedupe: true, IdempotencyKey: { } key } ? _answers.GetValueOrDefault((arrival.Name, key)) : null;
            var number = _effects.GetValueOrDefault(arrival.Name) + 1;
            var answer = first?.DeepClone() ?? control.Answer?.DeepClone() ?? new JsonObject { ["ok"] = true, ["id"] = $"{arrival.Name}-{number}" };
            var line = Line(first is null ? "effect" : "duplicate", arrival);
            line["answer"] = answer.DeepClone();
            var counted = new ReceiverCounted(line, answer);
            if (writeNow)
            {
                WriteLocked(counted.Line);
            }

            return counted;
        }
    }

    /// <summary>Writes a line that <see cref="Count"/> left for later.</summary>
    public void Write(ReceiverCounted counted)
    {
        lock (_gate)
        {
            WriteLocked(counted.Line);
        }
    }

    /// <summary>Notes a request that failed without an effect: a line of kind <c>failed</c>.</summary>
    public void CountFailure(ReceiverArrival arrival)
    {
        lock (_gate)
        {
            WriteLocked(Line("failed", arrival));
        }
    }

    /// <summary>Counts and lines of one name, or of all.</summary>
    public JsonObject View(string? name)
    {
        lock (_gate)
        {
            var lines = _lines.Where(line => name is null || (string?)line["name"] == name).ToList();
            return new JsonObject
            {
                ["effects"] = Of("effect"),
                ["duplicates"] = Of("duplicate"),
                ["failed"] = Of("failed"),
                ["holding"] = _holds.Where(hold => name is null || hold.Key == name).Sum(hold => hold.Value.Count),
                ["lines"] = new JsonArray([.. lines.Select(line => line.DeepClone())]),
            };

            int Of(string kind) => lines.Count(line => (string?)line["kind"] == kind);
        }
    }

    /// <summary>What became of a key: an Idempotency-Key or an Omium-Effect that was counted is done.</summary>
    public JsonObject State(string name, string key)
    {
        lock (_gate)
        {
            if (_controls.GetValueOrDefault(name)?.State is { } told)
            {
                return new JsonObject { ["status"] = told };
            }

            var line = _lines.Find(line => (string?)line["kind"] == "effect" && (string?)line["name"] == name
                && ((string?)line["idempotency_key"] == key || (string?)line["effect_id"] == key));
            return line is null
                ? new JsonObject { ["status"] = "not_done" }
                : new JsonObject { ["status"] = "done", ["output"] = line["answer"]?.DeepClone() };
        }
    }

    /// <summary>Sets how a name behaves; what is held stays held.</summary>
    public void Control(string name, ReceiverControl control)
    {
        lock (_gate)
        {
            _controls[name] = control;
        }
    }

    /// <summary>Holds until released; ends as cancelled when the caller goes away.</summary>
    public async Task HoldAsync(string name, CancellationToken cancellation)
    {
        var hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            (_holds.TryGetValue(name, out var holds) ? holds : _holds[name] = []).Add(hold);
            Changed();
        }

        try
        {
            await hold.Task.WaitAsync(cancellation);
        }
        finally
        {
            lock (_gate)
            {
                _holds[name].Remove(hold);
                Changed();
            }
        }
    }

    /// <summary>Releases what is held for a name (null: for all), and holds no more of it. Answers how many.</summary>
    public int Release(string? name)
    {
        lock (_gate)
        {
            foreach (var (held, control) in _controls.Where(pair => name is null || pair.Key == name).ToList())
            {
                _controls[held] = control with { HoldBeforeCount = false, HoldAfterCount = false };
            }

            var holds = _holds.Where(pair => name is null || pair.Key == name).SelectMany(pair => pair.Value).ToList();
            return holds.Count(hold => hold.TrySetResult());
        }
    }

    /// <summary>Lets everything go, at the end.</summary>
    public void ReleaseAll() => Release(null);

    /// <summary>Waits until so many effects are counted and so many requests are held. False when the time is over first.</summary>
    public async Task<bool> WaitAsync(string name, int effects, int holding, TimeSpan timeout, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_effects.GetValueOrDefault(name) >= effects && (_holds.GetValueOrDefault(name)?.Count ?? 0) >= holding)
                {
                    return true;
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }

    public void Dispose() => _log.Dispose();

    private static JsonObject Line(string kind, ReceiverArrival arrival) => new()
    {
        ["at"] = DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture),
        ["kind"] = kind,
        ["name"] = arrival.Name,
        ["method"] = arrival.Method,
        ["idempotency_key"] = arrival.IdempotencyKey,
        ["effect_id"] = arrival.EffectId,
        ["body"] = arrival.Body?.DeepClone(),
    };

    private void WriteLocked(JsonObject line)
    {
        _log.Append(line);
        Remember(line);
        Changed();
    }

    private void Remember(JsonObject line)
    {
        _lines.Add(line);
        var name = (string)line["name"]!;
        if ((string?)line["kind"] != "effect")
        {
            return;
        }

        _effects[name] = _effects.GetValueOrDefault(name) + 1;
        if ((string?)line["idempotency_key"] is { } key && line["answer"] is { } answer)
        {
            _answers.TryAdd((name, key), answer);
        }
    }

    private void Changed()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The same seed, name and arrival number always give the same verdict, on every machine.</summary>
    private bool FailsByRate(string name, int number)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{_options.Seed}/{name}/{number}"));
        return BitConverter.ToUInt32(digest) / (double)uint.MaxValue < _options.FailRate;
    }
}
