import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int commands = in.nextInt();
        int mass = 0;
        double salt = 0;
        StringBuilder results = new StringBuilder();
        for (int i = 0; i < commands; i++) {
            switch (in.next()) {
                case "ADD" -> {
                    int amount = in.nextInt();
                    mass += amount;
                    salt += amount * in.nextInt() / 100.0;
                }
                case "POUR" -> {
                    int left = Math.max(mass - in.nextInt(), 0);
                    salt = left > 0 ? salt * left / mass : 0;
                    mass = left;
                }
                default -> results.append(mass > 0 ? salt / mass * 100 : 0).append('\n');
            }
        }
        System.out.print(results);
    }
}
