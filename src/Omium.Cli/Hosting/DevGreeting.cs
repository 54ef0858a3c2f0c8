using System.Globalization;
using System.Text;

namespace Omium.Cli.Hosting;

/// <summary>What <c>omium dev</c> says when it is ready: where, with which key, and what to do next.</summary>
internal static class DevGreeting
{
    /// <summary>The text; plain, so that it reads the same in a terminal, a file and a log.</summary>
    public static string Of(DevHost host)
    {
        var address = host.Address.GetLeftPart(UriPartial.Authority);
        var text = new StringBuilder();
        text.AppendLine("Omium is ready.").AppendLine();
        Line(text, "Open", host.ConsoleDirectory is null ? $"{address} (the API; the console is not built)" : $"{address}/#key={host.Key}");
        Line(text, "API key", host.Key);
        Line(text, "Data", host.DataDirectory);
        Line(text, "Model", host.Model.IsConfigured ? host.Model.ToString() : "none; set OMIUM_MODEL_BASE_URL and OMIUM_MODEL_API_KEY, or start with --demo");
        if (host.Demo is { } demo)
        {
            Line(text, "Receiver", $"{demo.Receiver.GetLeftPart(UriPartial.Authority)}/effects counts what the demo's tools do");
        }

        if (host.Recovered > 0)
        {
            Line(text, "Resumed", string.Create(CultureInfo.InvariantCulture, $"{host.Recovered} executions that were under way"));
        }

        text.AppendLine().AppendLine("Next, in another terminal:");
        if (host.Address.Port != DevOptions.StandardPort || host.DataDirectory != Path.GetFullPath(DevOptions.StandardDataDirectory))
        {
            // Commands look for the standard address, and for the key in the standard directory.
            text.AppendLine(CultureInfo.InvariantCulture, $"  export OMIUM_BASE_URL={address} OMIUM_API_KEY={host.Key}");
        }

        var command = Environment.GetEnvironmentVariable("OMIUM_COMMAND") is { Length: > 0 } launcher ? launcher : "omium";
        text.AppendLine(host.Demo is null
            ? $"  {command} save workflow.yaml && {command} run NAME --input '{{...}}' --wait"
            : $"  {command} run customer-onboarding --wait --input '{DemoExamples.Customer}'");
        text.AppendLine(host.Demo is null ? $"  {command} executions" : $"  {command} reviews        one agent offers 0 %; Omium catches it and asks you");
        text.AppendLine("Ctrl-C ends it; nothing is lost.");
        return text.ToString();
    }

    private static void Line(StringBuilder text, string name, string value) => text.Append("  ").Append(name.PadRight(10)).AppendLine(value);
}
