using System.Text.Json.Nodes;

namespace Omium.Cli.Servers;

/// <summary>How the receiver behaves for one name; set by <c>POST /control</c>, which replaces what was set before.</summary>
/// <param name="HoldBeforeCount">Keeps the request before it is counted, until <c>POST /release</c>.</param>
/// <param name="HoldAfterCount">Keeps the reply after the request was counted, until <c>POST /release</c>.</param>
/// <param name="FailTimes">The next so many requests fail.</param>
/// <param name="Status">Status of a failing request; default 503.</param>
/// <param name="DropConnection">A failing request gets no answer: its connection is cut. Without <paramref name="FailTimes"/>: every request.</param>
/// <param name="FailCounts">True: a failing request is counted before it fails, as a receiver that acts and then breaks. Default false.</param>
/// <param name="CountAfterAnswer">True: the line is written after the answer has left. Default false.</param>
/// <param name="Delay">Wait before the answer.</param>
/// <param name="Answer">What is answered in place of <c>{"ok": true, "id": ...}</c>.</param>
/// <param name="State">What <c>GET /state</c> answers: done, not_done or unknown; null = what is counted.</param>
internal sealed record ReceiverControl(
    bool HoldBeforeCount = false, bool HoldAfterCount = false, int FailTimes = 0, int Status = 503, bool DropConnection = false,
    bool FailCounts = false, bool CountAfterAnswer = false, TimeSpan Delay = default, JsonNode? Answer = null, string? State = null)
{
    /// <exception cref="UsageException">A member is unknown or of the wrong type.</exception>
    public static (string Name, ReceiverControl Control) Read(JsonObject body)
    {
        string? name = null;
        var control = new ReceiverControl();
        foreach (var (member, value) in body)
        {
            try
            {
                control = member switch
                {
                    "name" => Named(control, value!.GetValue<string>(), out name),
                    "hold_before_count" => control with { HoldBeforeCount = value!.GetValue<bool>() },
                    "hold_after_count" => control with { HoldAfterCount = value!.GetValue<bool>() },
                    "fail_times" => control with { FailTimes = value!.GetValue<int>() },
                    "status" => control with { Status = value!.GetValue<int>() },
                    "drop_connection" => control with { DropConnection = value!.GetValue<bool>() },
                    "fail_counts" => control with { FailCounts = value!.GetValue<bool>() },
                    "count_after_answer" => control with { CountAfterAnswer = value!.GetValue<bool>() },
                    "delay" => control with { Delay = DurationText.Read(value!.GetValue<string>(), "delay") },
                    "answer" => control with { Answer = value?.DeepClone() },
                    "state" => control with { State = value?.GetValue<string>() },
                    _ => throw new UsageException($"Unknown control '{member}'."),
                };
            }
            catch (Exception wrong) when (wrong is InvalidOperationException or FormatException or NullReferenceException)
            {
                throw new UsageException($"The control '{member}' has a value of the wrong type.");
            }
        }

        return (name ?? throw new UsageException("The control needs a 'name'."), control);
    }

    private static ReceiverControl Named(ReceiverControl control, string given, out string name)
    {
        name = given;
        return control;
    }
}
