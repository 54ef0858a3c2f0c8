using System.Text.Json;

namespace Omium.Simulation.Workflows;

/// <summary>What a handoff claims, as drawn, and who measures it: expression, tool or receiver. <paramref name="Doubtful"/>: an expression that sees something else when the number is 4.</summary>
internal sealed record DrawnHandoff(string By, bool Doubtful)
{
    /// <summary>The number at which a doubtful expression sees something else.</summary>
    private const int SeenOtherwise = 4;

    public string Json(string number)
    {
        var said = $"has(output.{number}) ? output.{number} : 0";
        var seen = By switch
        {
            "tool" => ", \"seen\": {\"tool\": \"measure\", \"value\": \"output.n\"}",
            "receiver" => "",
            _ => Doubtful ? $", \"seen\": \"has(output.{number}) && output.{number} == {SeenOtherwise} ? -1 : ({said})\"" : $", \"seen\": \"{said}\"",
        };
        var acknowledge = By == "receiver" ? ", \"acknowledge\": true" : "";
        return $"{{\"claims\": {{\"count\": {{\"said\": \"{said}\"{seen}}}}}{acknowledge}}}";
    }

    /// <summary>What the sender states of a message, told without the kernel's expressions.</summary>
    public static double SaidOf(JsonElement message, string number) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty(number, out var n) && n.ValueKind == JsonValueKind.Number ? n.GetDouble() : 0;

    /// <summary>What an expression sees of it.</summary>
    public double SeenOf(double said) => Doubtful && said == SeenOtherwise ? -1 : said;
}

/// <summary>How many of the three verifiers must approve.</summary>
internal sealed record DrawnVerifiers(int Quorum)
{
    public static readonly IReadOnlyList<string> Agents = ["v1", "v2", "v3"];

    public string Json => $"{{\"quorum\": {Quorum}, \"of\": [{string.Join(", ", Agents.Select(agent => $"\"{agent}\""))}]}}";
}

/// <summary>Limits of one tool. With a breaker one call at a time is made, so that none is under way when it opens.</summary>
internal sealed record DrawnLimits(string Tool, int? Concurrent, double? PerSecond, bool Breaker)
{
    public const int BreakerFailures = 2, CoolDownMs = 10_000;

    public string Json
    {
        get
        {
            var parts = new List<string>();
            parts.AddRange(Concurrent is { } most ? [$"\"concurrent\": {most}"] : []);
            parts.AddRange(PerSecond is { } rate ? [string.Create(System.Globalization.CultureInfo.InvariantCulture, $"\"per_second\": {rate}")] : []);
            parts.AddRange(Breaker ? [$"\"breaker\": {{\"failures\": {BreakerFailures}, \"cool_down\": \"{CoolDownMs}ms\"}}"] : []);
            return $"{{{string.Join(", ", parts)}}}";
        }
    }
}
